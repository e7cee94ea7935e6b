"""Known failures: a catalogue in data files, each with a pattern, the cause in plain words and what to do."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, get_args

from pipelines.evidence.literals import required
from pipelines.evidence.scanning import Pattern, Scanner, scanner
from pipelines.evidence.values import FailureKind

FOLDER = Path(__file__).with_name("signatures")
NEAR_BEFORE, NEAR_AFTER = 80, 40  # rows around a match in which its details are looked for
BEHIND = 12  # rows behind a match in which the line is looked for that says more
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Signature:
    """A known failure. `priority` from 0 to 100: what is specific beats what is general.

    `source` is where somebody was shown the first of the `examples`; empty where that was not looked up.
    `cause` may name groups of `pattern`, `near` and `behind`: {group}; a part in [[…]] is left out when its group is
    empty.
    `behind` is how the line looks, within the next rows, that says more: it is cited with the match.
    """

    id: str
    family: str
    pattern: str
    cause: str
    fix: tuple[str, ...]
    kind: FailureKind
    owner: str
    priority: int = 50
    patch: str = ""
    near: tuple[tuple[str, str], ...] = ()
    behind: str = ""
    links: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    source: str = ""

    @cached_property
    def compiled(self) -> re.Pattern[bytes]:
        return re.compile(self.pattern.encode("latin-1"), re.MULTILINE)

    def match(self, line: bytes) -> dict[str, str] | None:
        """The groups of the pattern in this line, None where it does not match."""
        found = self.compiled.search(line)
        if not found:
            return None
        return {
            name: (text or b"").decode("utf-8", errors="replace").strip() for name, text in found.groupdict().items()
        }

    def details(self, around: str) -> dict[str, str]:
        """Groups of the patterns in `near`, looked for in the lines around a match."""
        found: dict[str, str] = {}
        for _, pattern in self.near:
            if match := re.search(pattern, around, re.MULTILINE):
                first = next((text for text in match.groups() if text), "")
                found |= dict.fromkeys(match.groupdict(), first)
        return found

    def said_behind(self, following: Sequence[str]) -> tuple[int, dict[str, str]] | None:
        """Which of the rows that follow a match says more, and the groups of `behind` in it."""
        if not self.behind:
            return None
        for place, line in enumerate(following):
            if found := re.search(self.behind, line):
                return place, {name: (text or "").strip() for name, text in found.groupdict().items()}
        return None


@dataclass(frozen=True, slots=True)
class Match:
    """A signature in rows of a table; `groups` are of the row that speaks most clearly."""

    signature: Signature
    rows: tuple[int, ...]


def filled(template: str, groups: Mapping[str, str]) -> str:
    """`template` with its groups; a part in [[…]] whose groups are empty is gone, other empty groups leave nothing."""

    def optional(part: re.Match[str]) -> str:
        return part[1] if all(groups.get(name) for name in _PLACE.findall(part[1])) else ""

    return _PLACE.sub(lambda place: groups.get(place[1], ""), _OPTIONAL.sub(optional, template))


def worded(template: str, groups: Mapping[str, str]) -> str:
    """A sentence made of `template`, without the gaps and doubled full stops that empty groups leave."""
    text = re.sub(r" {2,}", " ", filled(template, groups))
    return re.sub(r"(?<!\.)\.\.(?!\.)", ".", text).replace(" .", ".").strip()


@cache
def catalogue() -> tuple[Signature, ...]:
    """All signatures that come with the package."""
    return tuple(signature for file in sorted(FOLDER.glob("*.yaml")) for signature in read_family(file))


def read_family(file: Path) -> list[Signature]:
    """One file. Raises ValueError naming file and signature for what is not as it should be."""
    import yaml

    held: dict[str, Any] = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return [_signature(entry, held, file) for entry in held["signatures"]]


def _signature(entry: Mapping[str, Any], family: Mapping[str, Any], file: Path) -> Signature:
    kind = entry.get("kind", family["kind"])
    if kind not in get_args(FailureKind):
        raise ValueError(f"{file.name}: {entry['id']} has the unknown kind {kind}")
    return Signature(
        entry["id"],
        family["family"],
        entry["pattern"].encode("utf-8").decode("latin-1"),
        entry["cause"],
        tuple(entry["fix"]),
        kind,
        entry.get("owner", family["owner"]),
        int(entry.get("priority", 50)),
        entry.get("patch", ""),
        tuple(entry.get("near", {}).items()),
        entry.get("behind", ""),
        tuple(entry.get("links", ())),
        tuple(entry.get("examples", ())),
        entry.get("source", ""),
    )


ROWS_EACH = 80  # of the first, the last and the most probable rows in which a signature's literals stand


@dataclass(frozen=True, slots=True)
class _Index:
    """`literals` and, for each, the numbers of the signatures that need it; `always` need none."""

    literals: tuple[str, ...]
    needing: tuple[tuple[int, ...], ...]
    always: tuple[int, ...]


@cache
def _index() -> _Index:
    needing: dict[str, list[int]] = {}
    always = []
    for number, signature in enumerate(catalogue()):
        literals = required(signature.pattern)
        for literal in literals or ():
            needing.setdefault(literal, []).append(number)
        if not literals:
            always.append(number)
    return _Index(tuple(needing), tuple(map(tuple, needing.values())), tuple(always))


@cache
def _literal_scanner(plain: bool) -> Scanner:
    return scanner([Pattern(re.escape(literal)) for literal in _index().literals], plain)


def matches(bare: Sequence[bytes], probability: Any, speaking: Sequence[int], plain: bool = False) -> list[Match]:
    """Which signatures stand in which rows; those without a literal of their own are tried on `speaking` rows only."""
    import numpy

    if not bare:
        return []
    content = b"\n".join(bare) + b"\n"
    ends = numpy.flatnonzero(numpy.frombuffer(content, numpy.uint8) == 10)
    which, rows = _literal_scanner(plain).lines(content, ends)
    index = _index()
    tried: dict[int, set[int]] = {number: set(speaking) for number in index.always}
    for number, row in zip(which.tolist(), rows.tolist(), strict=True):
        for signature in index.needing[number]:
            tried.setdefault(signature, set()).add(row)
    found = [
        (catalogue()[number], _matching(catalogue()[number], sorted(rows), bare, probability))
        for number, rows in tried.items()
    ]
    return [Match(signature, tuple(hits)) for signature, hits in found if hits]


def _matching(signature: Signature, rows: list[int], bare: Sequence[bytes], probability: Any) -> list[int]:
    if len(rows) > 3 * ROWS_EACH:
        probable = sorted(rows, key=lambda row: -float(probability[row]))[:ROWS_EACH]
        rows = sorted({*rows[:ROWS_EACH], *rows[-ROWS_EACH:], *probable})
    return [row for row in rows if signature.compiled.search(bare[row])]
