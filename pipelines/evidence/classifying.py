"""What kind of failure a run shows. Rules in one order, so that the same run is always of the same kind.

1. The job was stopped for its time: timeout, whatever it was doing.
2. A scanner's own output names findings, or a signature tells of a scanner: the scanner's kind.
3. A test runner has counted a failed test: test, unless what stopped it lies outside of code and test (a package that
   is not there, a machine, a network, a right).
4. The leading signature that has a kind.
5. The command that was echoed last before the failure, the step, the job, the workflow: the first that speaks of a kind.
6. The form of what was printed: places in files are a linter's, and a compiler's where it speaks of errors.
7. What the lines themselves speak of, in their own words before what they quote.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pipelines.evidence.diagnosing import Suspicion
from pipelines.evidence.scanners import KINDS
from pipelines.evidence.signatures import Signature, catalogue
from pipelines.evidence.values import SCANS, FailureKind, Finding

SURE = 70  # priority from which a signature outside of code and test beats a test runner's verdict
# Lines in which a runner counts or names a test that failed, whatever the test says of its reason.
_VERDICT_OF_TESTS = re.compile(
    r"^(?:FAILED|ERROR) (?:\[[\d.]+s\] )?\S+::|^\s*--- FAIL: |Tests run: \d+, (?:Failures: [1-9]|Failures: 0, Errors: [1-9])"
    r"|\b[1-9]\d* failed, \d+ (?:passed|errors?)"
)
STOPPED = 80  # the same for what stops a whole job
OUTSIDE: frozenset[FailureKind] = frozenset({"infrastructure", "dependency", "deployment", "build"})
# What may stop a test run from outside: nothing is deployed by it, so an object that is missing there is the test's own.
OUTSIDE_OF_TESTS = OUTSIDE - {"deployment"}


@dataclass(frozen=True, slots=True)
class Clues:
    """What the kind is told by. `places` are names and commands, nearest to the failure first: command,
    step, job, workflow. `lines` are cited, `printed` all of the extract."""

    suspicions: tuple[Suspicion, ...] = ()
    findings: tuple[Finding, ...] = ()
    places: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()


def classify(clues: Clues) -> FailureKind:
    known = [(signature, one.kind) for one in clues.suspicions if (signature := _signatures().get(one.signature))]
    if any(kind == "timeout" and signature.priority >= STOPPED for signature, kind in known[:1]):
        return "timeout"
    if scan := _scan(known, clues.findings, clues.places):
        return scan
    outside = [kind for signature, kind in known if kind in OUTSIDE_OF_TESTS and signature.priority >= SURE]
    if any(kind == "test" for _, kind in known) or any(map(_VERDICT_OF_TESTS.search, clues.lines)):
        return outside[0] if outside and known[0][1] == outside[0] else "test"
    of_places = kind_of_words(clues.places)
    if of_places == "test" and known and known[0][1] in ("timeout", "training", "model validation"):
        return "test"
    told: list[FailureKind] = [kind for signature, kind in known if kind != "unknown" and signature.priority >= TELLING]
    return told[0] if told else _of_words(known, of_places, clues)


TELLING = 40  # below, a signature only repeats that something failed


def _of_words(known: Sequence[tuple[Signature, FailureKind]], of_places: FailureKind, clues: Clues) -> FailureKind:
    general: FailureKind = next((kind for _, kind in known if kind != "unknown"), "unknown")
    ways: tuple[FailureKind, ...] = (of_places, kind_of_form(clues.printed), general, kind_of_lines(clues.lines))
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
# What only names of jobs, steps and commands say: in a line of output these words mean too much.
_NAMES: tuple[tuple[FailureKind, str], ...] = (
    ("container scan", r"\b(?:docker scout|clair|anchore|image vulnerabilit\w+)\b"),
    ("sca", r"\b(?:vulnerabilit\w+|audit|osv|dependabot|dependency scan\w*)\b"),
    ("sast", r"\b(?:security (?:scan|check|lint)\w*|static (?:application )?security\w*|zizmor|kics|terrascan)\b"),
    ("lint", r"\b(?:type[ -]?check\w*|static[ -](?:analysis|checks?)|format(?: check|:check)?|check[ -]format|vet|tflint|detekt|cppcheck|clang-(?:tidy|format)|biome|oxlint|markdownlint|codespell|typos|commitlint|sqlfluff|actionlint|buf lint|style)\b"),
    ("model validation", r"\b(?:quality gate|champion|challenger|data quality|drift check|great expectations)\b"),
    ("test", r"\b(?:vitest|ava|bats|nextest|gtest|coverage|regression|smoke|acceptance|scenarios?|rake spec|go test|ginkgo)\b"),
    ("deployment", r"\b(?:release|publish|promote|roll ?back|canary|skaffold|pulumi|cdk|cloudformation|flux|conftest|opentofu|tofu|kapp|oc apply|push (?:the )?(?:image|to \w+))\b"),
    ("training", r"\b(?:dvc repro|torchrun|accelerate launch|deepspeed|hyperparameter\w*|tun(?:e|ing))\b"),
    ("dependency", r"\b(?:pnpm i(?:nstall)?|uv (?:sync|lock|pip)|pdm|pipenv|restore|go mod|cargo fetch|lock|set ?up (?:python|node|go|java|rust|ruby)|bootstrap)\b"),
    ("build", r"\b(?:tsc|vite build|next build|docker|buildah|kaniko|images?|javac|rustc|dotnet (?:build|publish)|msbuild|xcodebuild|gcc|g\+\+|clang|wheels?|sdist|assemble\w*|bundle)\b"),
    ("infrastructure", r"\b(?:artifacts?|docker (?:login|pull)|services?|provision\w*|agent|set ?up|clean ?up|clone|pull)\b"),
)  # fmt: skip
_BY_NAMES = [*_BY_WORDS, *((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _NAMES)]


# What only lines of output say, and only where they say nothing else: something around the work was not there.
_AROUND = re.compile(
    r"\b(?:could ?n[o']t connect|cannot connect|unable to connect|failed to connect|connection (?:was )?(?:refused|reset|closed|lost|timed out)"
    r"|connection terminated|no route to host|broken pipe|(?:host|server|network) (?:is )?unreachable|name resolution|dns lookup"
    r"|tls handshake|certificate has expired|address (?:is )?already in use|eaddrinuse|permission denied|operation not permitted"
    r"|no space left|read-only file system|http(?: code| status)?:? ?(?:429|50[0234])|(?:bad gateway|service unavailable))\b",
    re.IGNORECASE,
)
_BY_OUTPUT: list[tuple[FailureKind, re.Pattern[str]]] = [*_BY_WORDS, ("infrastructure", _AROUND)]


def kind_of_words(texts: Iterable[str]) -> FailureKind:
    """The kind that the first of these names and commands speaks of which speaks of any."""
    for text in texts:
        for kind, pattern in _BY_NAMES:
            if pattern.search(text):
                return kind
    return "unknown"


# What a line quotes is not what it says: a path through `test/`, the name of an object, an address.
_FOLDERS = re.compile(r"(?<![\w.:/])/(?:[\w.@+-]+/)+")  # of a path from the root: where the runner keeps its builds
_QUOTED = re.compile(r"""\S*[/\\]\S*|"[^"\n]*"|'[^'\n]*'|`[^`\n]*`|<[^>\n]*>""")


def kind_of_lines(lines: Sequence[str]) -> FailureKind:
    """The most specific kind that any of these lines speaks of, in its own words before what it quotes."""
    said = _most_specific([_QUOTED.sub(" ", line) for line in lines])
    return said if said != "unknown" else _most_specific([_FOLDERS.sub("", line) for line in lines])


def _most_specific(lines: Sequence[str]) -> FailureKind:
    return next((kind for kind, pattern in _BY_OUTPUT if any(pattern.search(line) for line in lines)), "unknown")


# A place in a file and what is said of it, as linters and compilers print it.
_PLACE = re.compile(
    r"^\s*(?:\[(?:warn|error|info)\w*\] )?(?:[^\s:([]*[./\\][^\s:([]*|\w+file)"
    r"(?::\d+(?::\d+)?(?=[: \t])|\(\d+(?:,\d+)?\): |\[\d+, ?\d+\]: |: line \d+)[:, \t]*(?P<said>.+)"
)
_FRAME = re.compile(r"^in \S+$|^\w*(?:Error|Exception|Warning)\b")  # of a traceback, which names places too
_COMPILERS = re.compile(
    r"\berror ?[:\[(]|\berror [A-Z]+\d+\b|\b(?:syntax|parse) error\b|\b(?:undefined|undeclared|unbound|unresolved)\b"
)
MOSTLY = 0.4  # of the lines


def kind_of_form(printed: Sequence[str]) -> FailureKind:
    """Of output that is mostly places in files: a compiler's where it speaks of errors, else a linter's."""
    lines = [line for line in printed if line.strip() and not line.startswith("##[")]
    said = [found["said"] for line in lines if (found := _PLACE.match(line)) and not _FRAME.match(found["said"])]
    if not said or len(said) < MOSTLY * len(lines):
        return "unknown"
    return "build" if any(map(_COMPILERS.search, said)) else "lint"


# A command as shells, npm and runners echo it before they run it.
_COMMAND = re.compile(r"^(?:\+ (?!echo )|\$ |Run |\[command\]|##\[group\]Run |> [\w@./-]+@\S* )(\S.*)")


def commands(lines: Sequence[str]) -> list[str]:
    """The commands that these lines echo, the last one first."""
    return [found[1] for line in reversed(lines) if (found := _COMMAND.match(line.strip()))]
