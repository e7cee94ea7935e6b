"""What kind of failure a run shows. Rules in one order, so that the same run is always of the same kind.

1. The job was stopped for its time: timeout, whatever it was doing.
2. A scanner's own output names findings, or a signature tells of a scanner: the scanner's kind.
3. A test runner has counted a failed test: test, unless what stopped it lies outside of code and test (a package that
   is not there, a machine, a network, a right).
4. The leading signature that has a kind.
5. The command of the failing step, its name, the job's, the workflow's: the first that speaks of a kind.
6. What the lines themselves speak of.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pipelines.evidence.diagnosing import Suspicion
from pipelines.evidence.scanners import KINDS
from pipelines.evidence.signatures import Signature, catalogue
from pipelines.evidence.values import FailureKind, Finding

SURE = 70  # priority from which a signature outside of code and test beats a test runner's verdict
STOPPED = 80  # the same for what stops a whole job
SCANS: frozenset[FailureKind] = frozenset({"secret", "sast", "sca", "container scan"})
OUTSIDE: frozenset[FailureKind] = frozenset({"infrastructure", "dependency", "deployment", "build"})


@dataclass(frozen=True, slots=True)
class Clues:
    """What the kind is told by. `places` are names and commands, nearest to the failure first: step, job, workflow."""

    suspicions: tuple[Suspicion, ...] = ()
    findings: tuple[Finding, ...] = ()
    places: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def classify(clues: Clues) -> FailureKind:
    known = [(signature, one.kind) for one in clues.suspicions if (signature := _signatures().get(one.signature))]
    if any(kind == "timeout" and signature.priority >= STOPPED for signature, kind in known[:1]):
        return "timeout"
    if scan := _scan(known, clues.findings, clues.places):
        return scan
    outside = [kind for signature, kind in known if kind in OUTSIDE and signature.priority >= SURE]
    if any(kind == "test" for _, kind in known):
        return outside[0] if outside and known[0][1] == outside[0] else "test"
    of_places = kind_of_words(clues.places)
    if of_places == "test" and known and known[0][1] in ("timeout", "training", "model validation"):
        return "test"
    told: list[FailureKind] = [kind for signature, kind in known if kind != "unknown" and signature.priority >= TELLING]
    return told[0] if told else _of_words(known, of_places, clues.lines)


TELLING = 40  # below, a signature only repeats that something failed


def _of_words(
    known: Sequence[tuple[Signature, FailureKind]], of_places: FailureKind, lines: Sequence[str]
) -> FailureKind:
    general: FailureKind = next((kind for _, kind in known if kind != "unknown"), "unknown")
    ways: tuple[FailureKind, ...] = (of_places, general, kind_of_words(lines))
    return next((kind for kind in ways if kind != "unknown"), "unknown")


def _scan(
    known: Sequence[tuple[Signature, FailureKind]], findings: Sequence[Finding], places: Sequence[str]
) -> FailureKind | None:
    leading = known[0][1] if known else "unknown"
    if leading in SCANS:
        return leading
    of_places = kind_of_words(places)
    kinds = [KINDS[one.tool] for one in findings if one.tool in KINDS]
    if kinds and (of_places in (*SCANS, "unknown") or not known) and leading not in OUTSIDE:
        return of_places if of_places in kinds else kinds[0]
    return None


@cache
def _signatures() -> dict[str, Signature]:
    return {signature.id: signature for signature in catalogue()}


# In the order in which they are asked: what is specific first.
_WORDS: tuple[tuple[FailureKind, str], ...] = (
    ("secret", r"gitleaks|trufflehog|detect-secrets|secret[ -]?scan"),
    ("container scan", r"\btrivy\b|\bgrype\b|image scan|(?:scan|clair).{0,12}(?:image|container)|dockle"),
    ("sca", r"\bpip-audit\b|\bsnyk\b|(?:npm|yarn|pnpm|cargo|bundle|composer) audit|\bsafety (?:check|scan)|osv-scanner|govulncheck|dependency[- ]check|dependency[- ]review"),
    ("sast", r"\bbandit\b|\bsemgrep\b|\bgosec\b|code ?ql|brakeman|checkov|tfsec|\bsast\b|sonar"),
    ("timeout", r"\btimed? ?out (?:after|of)\b|deadline exceeded"),
    ("model validation", r"(?:model|metric|data|schema).{0,10}(?:validat|gate|evaluat|check)|below (?:the )?threshold|\bevaluate\b|great_expectations|validate[_ -](?:model|data)"),
    ("lint", r"\b(?:lint\w*|eslint|tslint|stylelint|flake8|ruff|black|isort|mypy|pyright|rubocop|checkstyle|spotless|ktlint|prettier|pre-commit|clippy|pylint|gofmt|golint|golangci\S*|phpcs|php-cs-fixer|phpstan|shellcheck|yamllint|hadolint|fmt --check|code style|style check|formatting)\b"),
    ("test", r"\b(?:tests?|testing|specs?|pytest|tox|nox|jest|mocha|karma|cypress|playwright|rspec|phpunit|ctest|junit|unittests?|e2e|integration)\b|\bassert|\btest_\w+|_test\b"),
    ("deployment", r"\b(?:deploy\w*|helm|kubectl|kustomize|kubeconform|kubeval|argo ?cd|rollout|terraform|ansible|serverless|manifests?)\b"),
    ("training", r"\b(?:train(?:ing|er|_\w+)?|finetune|fine-tune|epoch \d+|fit)\b|\btrain\.py\b"),
    ("dependency", r"\b(?:installs?|dependenc\w*|resolv\w*|lockfile|requirements\S*|npm ci|yarn|bundle|composer|pip|poetry|conda)\b"),
    ("build", r"\b(?:builds?|compil\w*|link(?:er|ing)?|c?make|ninja|docker build|buildx|webpack|bazel|gradlew?|mvnw?|undefined|syntax|package)\b"),
    ("infrastructure", r"\b(?:set ?up job|checkout|cache|login|credentials|runner)\b"),
)  # fmt: skip
_BY_WORDS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WORDS]


def kind_of_words(texts: Iterable[str]) -> FailureKind:
    """The kind that the first of these texts speaks of which speaks of any."""
    for text in texts:
        for kind, pattern in _BY_WORDS:
            if pattern.search(text):
                return kind
    return "unknown"
