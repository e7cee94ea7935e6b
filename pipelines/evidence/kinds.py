"""What kind of log this is."""

import re

from pipelines.evidence.lines import Table
from pipelines.evidence.steps import Outline
from pipelines.evidence.values import LogKind

_DESCRIBED = re.compile(
    rb"^(?:Name:|Namespace:|Labels:|Events:|Node-Selectors:|apiVersion:|kind: |NAME +|NAMESPACE +|LAST SEEN +)"
    rb"|^\{\"toolset_name\"|^Every \d"
)
_RUN = re.compile(
    rb"^(?:##\[|travis_|section_(?:start|end):|\[Pipeline\]|Running with gitlab-runner|::group::|Started by )"
    rb"|^(?:Run |\$ )|^~~~ |exited with \d|\[taskcluster"
)
_SERVICE = re.compile(
    rb"^[ \t]*\{\"|\blevel=|\b(?:INFO|WARN(?:ING)?|ERROR|DEBUG)\b[ \t:\]|-]|^[IWEF]\d{4} |\"(?:GET|POST|PUT|DELETE) /"
)


def detect_log_kind(lines: Table, steps: Outline) -> LogKind:
    """`command` for what kubectl and its like print, `container` for a service's own log, `ci` for everything else."""
    sample = lines.bare[:400] + lines.bare[-200:]
    told = [line for line in sample if line]
    if not told:
        return "ci"
    if steps.marker >= 0 or sum(bool(_RUN.search(line)) for line in told) >= max(2, len(told) // 200):
        return "ci"
    if sum(bool(_DESCRIBED.search(line)) for line in told[:120]) >= 2:
        return "command"
    if sum(bool(_SERVICE.search(line)) for line in told) > len(told) // 3:
        return "container"
    return "ci"
