"""Whether a patch rests on a file that was read: it applies to it, line by line, or it is none.

A model's patch that is none is struck; that of a signature, which knows no file, is told as steps.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.evidence.context import SourceFile

LONGEST_PATCH = 8_000  # characters
MOST_HUNKS = 12
_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_FENCE = re.compile(r"^```[\w-]*$")
_TO_FILL_IN = re.compile(r"^<[^<>]+>$")  # a value that only a person knows


@dataclass(frozen=True, slots=True)
class _Hunk:
    start: int  # 1-based, as the hunk claims
    old: tuple[str, ...]
    new: tuple[str, ...]


def grounded(patch: str, files: Sequence[SourceFile]) -> str:
    """The patch as it may be shown: a unified diff that applies, or YAML that changes keys of a file; else ""."""
    text = "\n".join(line for line in patch.splitlines() if not _FENCE.match(line)).strip("\n")
    if not text or len(text) > LONGEST_PATCH:
        return ""
    if re.search(r"^(?:---|@@) ", text, re.MULTILINE):
        return text if _applies(text, files) else ""
    return text if _changes_keys(text, files) else ""


def _applies(text: str, files: Sequence[SourceFile]) -> bool:
    parts = list(_parts(text))
    if not parts:
        return False
    for path, hunks in parts:
        file = next((one for one in files if one.path == path), None)
        if file is None or not hunks or len(hunks) > MOST_HUNKS or not _hunks_apply(hunks, file):
            return False
    return True


def _parts(text: str) -> Iterator[tuple[str, list[_Hunk]]]:
    """Path and hunks of each file; a path of "" where there is none."""
    path, hunks, body = "", list[_Hunk](), list[str]()
    start = 0

    def closed() -> list[_Hunk]:
        return [*hunks, _hunk(start, body)] if start else hunks

    lines = text.split("\n")
    for place, line in enumerate(lines):
        if line.startswith("--- ") and place + 1 < len(lines) and lines[place + 1].startswith("+++ "):
            if path:
                yield path, closed()
            path, hunks, body, start = "", [], [], 0
        elif line.startswith("+++ ") and not body:
            path = re.sub(r"^b/", "", line[4:].split("\t")[0].strip())
        elif match := _HUNK.match(line):
            hunks, body, start = closed(), [], int(match[1])
        elif start:
            body.append(line)
    yield path, closed()


def _hunk(start: int, body: Sequence[str]) -> _Hunk:
    told = [line for line in body if not line.startswith("\\")]
    old = tuple(line[1:] for line in told if line[:1] in (" ", "-") or not line)
    return _Hunk(start, old, tuple(line[1:] for line in told if line[:1] in (" ", "+") or not line))


def _hunks_apply(hunks: Sequence[_Hunk], file: SourceFile) -> bool:
    """Each where its lines stand, in their order; models count badly, so the number only chooses among such places."""
    least = 0
    for hunk in hunks:
        if not any(line.strip() for line in hunk.old) or hunk.old == hunk.new:
            return False
        size = len(hunk.old)
        places = [at for at in range(least, len(file.lines) - size + 1) if file.lines[at : at + size] == hunk.old]
        if not places:
            return False
        at = min(places, key=lambda place: abs(place + 1 - hunk.start))
        if any(at < number <= at + size for number in file.hidden):
            return False  # what stands there is not what we saw
        least = at + size
    return True


def _changes_keys(text: str, files: Sequence[SourceFile]) -> bool:
    """Whether it is a mapping whose branches all stand in one of the YAML files that were read; leaves may differ."""
    patch = _yaml(text)
    if any(_TO_FILL_IN.match(value) for _, value in _leaves(patch)):
        return False  # nothing that could be applied as it stands
    held = [_yaml("\n".join(one.lines)) for one in files if one.path.endswith((".yaml", ".yml"))]
    return isinstance(patch, Mapping) and any(
        isinstance(file, Mapping) and file != patch and _within(patch, file) for file in held
    )


def _within(patch: Mapping[str, Any], file: Mapping[str, Any]) -> bool:
    shared = [name for name in patch if name in file]
    branches = [name for name in patch if isinstance(patch[name], Mapping)]
    return bool(shared) and all(
        name in file and isinstance(file[name], Mapping) and _within(patch[name], file[name]) for name in branches
    )


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def steps(patch: str) -> tuple[str, ...]:
    """The same for a person: where nothing is known to which it applies."""
    told = _yaml(patch)
    if not isinstance(told, Mapping):
        shown = "; ".join(line.strip() for line in patch.splitlines() if line.strip())
        return (f"By hand: {shown}",) if shown else ()
    return tuple(f"Set {path} to {value}." for path, value in _leaves(told))


def _leaves(told: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Where each value of a mapping stands, as `spec.containers[name].image`, and the value."""
    if isinstance(told, Mapping):
        for name, value in told.items():
            yield from _leaves(value, f"{path}.{name}" if path else str(name))
    elif isinstance(told, list):
        for place, value in enumerate(told):
            named = isinstance(value, Mapping) and isinstance(value.get("name"), str)
            inner = {key: one for key, one in value.items() if key != "name"} if named else value
            yield from _leaves(inner, f"{path}[{value['name'] if named else place}]")
    else:
        yield path, "" if told is None else str(told)
