"""What kind of log this is, and what kind of failure it tells of."""

import re
from collections.abc import Iterable

from pipelines.evidence.lines import Table
from pipelines.evidence.steps import Outline
from pipelines.evidence.values import FailureKind, LogKind

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


_WORDS: tuple[tuple[FailureKind, str], ...] = (
    ("timeout", r"\btimed? ?out\b|deadline exceeded"),
    ("secret", r"gitleaks|trufflehog|detect-secrets"),
    ("container scan", r"\btrivy\b|\bgrype\b"),
    ("sca", r"\bpip-audit\b|\bsnyk\b|npm audit|\bsafety check"),
    ("sast", r"\bbandit\b|\bsemgrep\b|\bgosec\b|codeql"),
    ("model validation", r"model.{0,10}(?:validat|gate|evaluat)|below threshold"),
    ("training", r"\btrain(?:ing|er)?\b|epoch \d+"),
    ("lint", r"\b(?:lint|eslint|flake8|ruff|black|mypy|rubocop|checkstyle|prettier|pre-commit|clippy|pylint)\w*\b"),
    ("test", r"\btests?\b|\bspecs?\b|\bpytest\b|\bjest\b|assert|\bexpected\b"),
    ("dependency", r"\b(?:install|dependenc|resolve|lockfile|requirements)\w*\b"),
    ("deployment", r"\b(?:deploy|helm|kubectl|argocd|rollout|terraform apply|manifest)\w*\b"),
    ("build", r"\b(?:build|compil|link|make|cmake|docker build|undefined|syntax)\w*\b"),
)
_BY_WORDS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WORDS]


def failure_kind_of_words(texts: Iterable[str]) -> FailureKind:
    """The kind that these texts (the step's name, then the lines that matter) speak of first."""
    for text in texts:
        for kind, pattern in _BY_WORDS:
            if pattern.search(text):
                return kind
    return "unknown"
