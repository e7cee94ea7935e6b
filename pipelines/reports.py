"""What every analysis returns: possible causes, each with lines that were checked, and what to do about them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.evidence.values import Extract, FailureKind, Finding, reference

NOTHING_WRONG = "Nothing wrong found."
MOST_CAUSES = 3
MOST_REFERENCES = 12  # lines of one cause that are looked at, of those that exist


# What has to be changed: the program, its test, the data, or what both run on.
Fault = Literal["code", "test", "data", "environment", "unknown"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that was checked against its source; code draws it, no model does.

    `note` is empty for a line of a log; for one of a file it says at which commit. Number 0 is a fact that is no line.
    """

    source: str
    number: int
    text: str
    note: str = ""

    @property
    def of_log(self) -> bool:
        return self.number > 0 and not self.note


@dataclass(frozen=True, slots=True)
class Cause:
    """A possible cause. `confidence` from 0 to 1; `origin` is a signature's id, "log" or who wrote it."""

    text: str
    evidence: tuple[Evidence, ...]
    confidence: float
    origin: str = "log"
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Weighed:
    """A scanner's finding with what it means; `doubt` says why it may be a false positive, `beside` shows the code."""

    finding: Finding
    explanation: str = ""
    risk: str = ""
    fix: str = ""
    doubt: str = ""
    beside: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to "what went wrong". `unseen` says what could not be looked at, `struck` what had no evidence."""

    summary: str
    kind: FailureKind
    causes: tuple[Cause, ...]
    confidence: float
    fix: tuple[str, ...] = ()
    patch: str = ""
    unseen: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    owner: str = ""
    fingerprint: str = ""
    source: str = "offline"
    notice: str = ""
    findings: tuple[Weighed, ...] = ()
    fault: Fault = "unknown"

    @property
    def wrong(self) -> bool:
        return bool(self.causes)


@dataclass(frozen=True, slots=True)
class Claim:
    """A cause as somebody states it, before its citations are checked: references such as 12 or b12."""

    text: str
    references: tuple[str, ...]
    confidence: float
    origin: str = "log"
    links: tuple[str, ...] = ()
    matched: bool = False  # a pattern found the lines, so that they need share no word with what it says of them


def checked(
    claims: Iterable[Claim],
    extract: Extract,
    fresh: Mapping[str, Evidence] | None = None,
    around: Mapping[str, Evidence] | None = None,
) -> tuple[tuple[Cause, ...], tuple[str, ...]]:
    """The causes whose citations hold, with the lines as they stand in the source; and those that were struck.

    A citation holds when the line is in the extract, among `fresh` (more lines of the log) or in what stands `around`
    it (files, changes). A cause holds when it cites a line of the log, and one that it cites shares a word with it.
    """
    several = len(extract.sources) > 1
    logs = dict(fresh or {}) | {
        reference(line, several): Evidence(extract.sources[line.source], line.number, line.text)
        for line in extract.lines
    }
    known = dict(around or {}) | logs
    causes: list[Cause] = []
    struck: list[str] = []
    for claim in claims:
        names = [name for name in claim.references if name in known][:MOST_REFERENCES]
        lines = [known[name] for name in names]
        supported = any(claim.matched or _shares(claim.text, line.text) for line in lines)
        if not supported or not any(name in logs for name in names) or len(causes) == MOST_CAUSES:
            struck.append(claim.text)
            continue
        causes.append(Cause(claim.text, tuple(dict.fromkeys(lines)), claim.confidence, claim.origin, claim.links))
    return tuple(causes), tuple(struck)


_WORD = re.compile(r"[A-Za-z0-9_]{3,}")
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\w+",
        "the and that this was were has have had with from for not are but can could its which here there where when "
        "into possible cause caused because failed failure fails fail error errors line lines log says",
    )
)


def _shares(claim: str, line: str) -> bool:
    """Whether they have a word of weight in common, by its first letters: "resolved" and "resolve"."""
    return bool(_stems(claim) & _stems(line))


def _stems(text: str) -> set[str]:
    return {word[:5] for word in map(str.lower, _WORD.findall(text)) if word not in _EMPTY_WORDS}


def as_text(report: Report) -> str:
    """The three parts of the original design: ROOT_CAUSE, FIX, YAML_PATCH; then what they rest on."""
    if not report.wrong:
        return "\n".join([f"ROOT_CAUSE: {NOTHING_WRONG}", *_unseen(report)])
    lines = [f"ROOT_CAUSE: {report.causes[0].text} ({_per_cent(report.causes[0].confidence)})"]
    lines += _cited(report.causes[0])
    for cause in report.causes[1:]:
        lines += [f"  or: {cause.text} ({_per_cent(cause.confidence)})", *_cited(cause)]
    lines += ["FIX:", *(f"  {number}. {step}" for number, step in enumerate(report.fix, 1))] if report.fix else []
    lines += ["FINDINGS:", *(f"  {_told(one)}" for one in report.findings)] if report.findings else []
    lines += ["YAML_PATCH:", *(f"  {line}" for line in report.patch.splitlines())] if report.patch else []
    lines += [f"KIND: {report.kind}", *_unseen(report)]
    return "\n".join(lines)


def _cited(cause: Cause) -> list[str]:
    return [f"  {evidence.number or '':>6} | {evidence.text}" for evidence in cause.evidence]


def _told(one: Weighed) -> str:
    held = one.finding
    place = held.path and f" in {held.path}:{held.line}"
    package = held.package and f" in {held.package} {held.version}"
    return f"{held.severity} {held.rule}{place}{package}: {one.explanation or held.text} {one.fix}".rstrip()


def _unseen(report: Report) -> list[str]:
    return [f"NOT LOOKED AT: {one}" for one in report.unseen]


def _per_cent(confidence: float) -> str:
    return f"{round(confidence * 100)} % sure"


def summed_up(causes: Sequence[Cause]) -> str:
    """One line for a list: the first cause, or that there is none."""
    return causes[0].text if causes else NOTHING_WRONG
