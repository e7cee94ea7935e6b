"""What travels out of the evidence engine. All values are frozen; line numbers are 1-based, as an editor shows them."""

from dataclasses import dataclass
from typing import Literal

LogKind = Literal["ci", "container", "command"]
FailureKind = Literal[
    "lint",
    "test",
    "build",
    "dependency",
    "secret",
    "sast",
    "sca",
    "container scan",
    "training",
    "model validation",
    "deployment",
    "infrastructure",
    "timeout",
    "unknown",
]

SCANS: frozenset[FailureKind] = frozenset({"secret", "sast", "sca", "container scan"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it stands in its source, without terminal codes and without the time stamp of the CI runner.

    `source` is the index of the source among those that were given; a long line is cut in its middle, and says so.
    """

    number: int
    text: str
    source: int = 0


Severity = Literal["critical", "high", "medium", "low", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a scanner objects to, as its output says it; empty for what it does not say. No secret stands in it.

    `number` is the line of the log on which it stands. `path` and `line` are a place in the code, `fixed` names the
    versions of `package` in which it is repaired.
    """

    tool: str
    rule: str
    severity: Severity
    text: str
    number: int
    source: int = 0
    package: str = ""
    version: str = ""
    fixed: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that follow each other but for blank ones.

    `copies` is how often lines of this shape stand in the source, where repeated.
    """

    lines: tuple[Line, ...]
    selector: str
    score: float
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a CI run. `failed` when its marker says so; `marker` is the number of that line, 0 without one.

    `header` is the line that opens it in the log, where the step has another name by who ran it.
    """

    name: str
    first: int
    last: int
    failed: bool = False
    marker: int = 0
    header: str = ""


@dataclass(frozen=True, slots=True)
class Extract:
    """The lines that matter, in the order of the sources. `tokens` counts o200k tokens of `text`, numbers included."""

    blocks: tuple[Block, ...]
    tokens: int
    sources: tuple[str, ...]
    kind: LogKind
    total_lines: int
    seen_lines: int
    failing_step: Step | None = None
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for block in self.blocks for line in block.lines)

    @property
    def left_out(self) -> int:
        return self.total_lines - len(self.lines)

    @property
    def text(self) -> str:
        """The numbered lines as a language model is shown them, blocks apart by a line of three dots."""
        return render(self.blocks, len(self.sources) > 1)


def render(blocks: tuple[Block, ...] | list[Block], several: bool = False) -> str:
    """Numbered lines; `several` sources put their letter before the number: b12."""
    return "\n…\n".join(
        "\n".join(f"{reference(line, several)}|{line.text}" for line in block.lines) for block in blocks
    )


def reference(line: Line, several: bool) -> str:
    """How a line is cited: its number, behind the letter of its source where there are several."""
    return f"{letter(line.source)}{line.number}" if several else str(line.number)


def letter(source: int) -> str:
    """a, b, … z, aa, ab, …"""
    name = ""
    source += 1
    while source:
        source, rest = divmod(source - 1, 26)
        name = chr(ord("a") + rest) + name
    return name
