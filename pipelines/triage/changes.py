"""What is different from the last time it went well: versions, and lines that are new. Pure, and in bounded memory."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pipelines.evidence.cleaning import decoded, shown
from pipelines.evidence.templates import skeleton
from pipelines.triage.values import CiStep, NewLine, Toolset, VersionChange

MOST_NEW_LINES = 200
MOST_GREEN_LINES = 2_000_000
LONGEST_LINE = 500
TOOL_LINES = ("Image: ", "Version: ", "Current runner", "Download action", "Successfully installed", " ", "+")
LOCK_FILES = ("requirements.txt", "uv.lock", "poetry.lock", "package-lock.json", "go.mod", "Cargo.lock")

_STAMP = re.compile(r"^\ufeff?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?")
_IMAGE = re.compile(r"^Image: (\S+)$")
_IMAGE_VERSION = re.compile(r"^Version: (\S+)$")
_RUNNER = re.compile(r"^Current runner version: '([^']+)'")
_ACTION = re.compile(r"^Download action repository '([^'@]+)@([^']+)' \(SHA:([0-9a-f]{7,40})\)")
_INSTALLED = re.compile(r"^Successfully installed (.+)$")
_NAMED = re.compile(r"([A-Za-z0-9][\w.]*(?:-[A-Za-z][\w.]*)*)-(\d\S*)")
_PLUS = re.compile(r"^\s*\+ ([A-Za-z0-9][\w.-]*)==(\S+)$")
_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\#]+)")
_REQUIRED = re.compile(r"^\s*(?:require\s+)?([\w.-]+\.[\w./-]+)\s+(v\S+)")
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)")
_TEMPORARY = re.compile(rb"/tmp/[^\s'\":]+|/home/runner/work/_temp/[^\s'\":]+")


def template(line: str) -> bytes:
    """What the line shares with the one that another run of the same code prints, as in the evidence engine."""
    said = shown(line.encode(errors="replace"))[:LONGEST_LINE]
    return skeleton(_TEMPORARY.sub(b"", said) if b"/tmp/" in said or b"/_temp/" in said else said)


def said_in(line: str) -> str:
    """The line without the runner's time, without colours."""
    return decoded(shown(line.encode(errors="replace"))).rstrip()


def lines_of_step(lines: Iterable[str], step: CiStep | None) -> Iterator[tuple[int, str]]:
    """(1-based number, line) of what a step printed, by the times in front of the lines.

    GitHub tells times of steps in whole seconds, so lines of the neighbours within the same second come along, save
    those before the step's own "##[group]Run". Without times, or without a step, all lines are of it.
    """
    if step is None or step.started_at is None or step.completed_at is None:
        yield from enumerate(lines, start=1)
        return
    first, last = step.started_at, step.completed_at + timedelta(seconds=1)
    held: list[tuple[int, str]] = []
    inside, begun = True, False
    for number, line in enumerate(lines, start=1):
        if stamp := _STAMP.match(line):
            at = datetime.fromisoformat(stamp[1])
            inside = first <= at < last
            opens = line[stamp.end() :].startswith("##[group]Run ")
            if inside and opens and not begun and at < first + timedelta(seconds=1):
                held.clear()
                begun = True
        if not inside:
            continue
        if begun or len(held) >= MOST_NEW_LINES:
            yield from held
            held.clear()
            yield number, line
        else:
            held.append((number, line))
    yield from held


def templates(lines: Iterable[str]) -> frozenset[int]:
    """What a log prints, as hashes of the templates of its lines; they hold within one process."""
    return frozenset(hash(template(line)) for _, line in zip(range(MOST_GREEN_LINES), lines, strict=False))


def new_lines(failed: Iterable[tuple[int, str]], green: Set[int]) -> tuple[NewLine, ...]:
    """Lines of the failed run whose template the green one did not print, each template once, in their order."""
    found: dict[int, NewLine] = {}
    for number, line in failed:
        shape = template(line)
        if not shape or (digest := hash(shape)) in green:
            continue
        if digest in found:
            before = found[digest]
            found[digest] = replace(before, times=before.times + 1)
        elif len(found) < MOST_NEW_LINES:
            found[digest] = NewLine(number, said_in(line)[:LONGEST_LINE])
    return tuple(found.values())


def added_lines(patch: str) -> tuple[int, ...]:
    """1-based numbers, in the file as it is now, of the lines that a patch of hunks adds."""
    found: list[int] = []
    number = 0
    for line in patch.splitlines():
        if hunk := _HUNK.match(line):
            number = int(hunk[1])
        elif number and line[:1] in (" ", "+", ""):
            found += [number] if line.startswith("+") else []
            number += 1
    return tuple(found)


def tools_of_log(lines: Iterable[str]) -> Toolset:
    """The runner, its image, the actions with their commits, and what pip or uv installed."""
    image = version = runner = ""
    actions: dict[str, str] = {}
    packages: dict[str, str] = {}
    for line in lines:
        said = said_in(line)
        if not said.startswith(TOOL_LINES):
            continue
        if found := _IMAGE.match(said):
            image = found[1]
        elif (found := _IMAGE_VERSION.match(said)) and image and not version:
            version = found[1]
        elif found := _RUNNER.match(said):
            runner = found[1]
        elif found := _ACTION.match(said):
            actions[found[1]] = f"{found[2]} ({found[3][:7]})"
        elif found := _INSTALLED.match(said):
            packages |= {name.lower(): number for name, number in _NAMED.findall(found[1])}
        elif found := _PLUS.match(said):
            packages[found[1].lower()] = found[2]
    return Toolset(f"{image} {version}".strip(), runner, tuple(actions.items()), tuple(packages.items()))


def packages_of_lock(path: str, text: str) -> dict[str, str]:
    """Names to versions in a lock file; empty for a file that we do not know or that is not what it is called."""
    name = path.rpartition("/")[2]
    if name in ("uv.lock", "poetry.lock", "Cargo.lock"):
        return _toml_packages(text)
    if name == "package-lock.json":
        return _npm_packages(text)
    if name == "go.mod":
        return {found[1]: found[2] for line in text.splitlines() if (found := _REQUIRED.match(line))}
    if name.endswith(".txt"):
        return {found[1].lower(): found[2] for line in text.splitlines() if (found := _PINNED.match(line))}
    return {}


def is_lock_file(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in LOCK_FILES or (name.startswith("requirements") and name.endswith(".txt"))


def version_changes(before: Toolset, after: Toolset) -> tuple[VersionChange, ...]:
    """What one of them has otherwise than the other. What only one log tells of at all is not a change."""
    found = []
    if before.image and after.image and before.image != after.image:
        found.append(VersionChange("image", "runner image", before.image, after.image))
    if before.runner and after.runner and before.runner != after.runner:
        found.append(VersionChange("runner", "runner", before.runner, after.runner))
    for kind, old, new in (
        ("action", dict(before.actions), dict(after.actions)),
        ("package", dict(before.packages), dict(after.packages)),
    ):
        if old and new:
            found += package_changes(old, new, kind)
    return tuple(found)


def package_changes(before: dict[str, str], after: dict[str, str], kind: str = "package") -> list[VersionChange]:
    names = sorted(before.keys() | after.keys())
    return [
        VersionChange("action" if kind == "action" else "package", name, before.get(name, ""), after.get(name, ""))
        for name in names if before.get(name) != after.get(name)
    ]  # fmt: skip


def _toml_packages(text: str) -> dict[str, str]:
    try:
        listed: Any = tomllib.loads(text).get("package", [])
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    if not isinstance(listed, list):
        return {}
    return {
        str(one["name"]).lower(): str(one["version"])
        for one in listed if isinstance(one, dict) and "name" in one and "version" in one
    }  # fmt: skip


def _npm_packages(text: str) -> dict[str, str]:
    try:
        listed: Any = json.loads(text).get("packages", {})
    except (ValueError, RecursionError, AttributeError):
        return {}
    if not isinstance(listed, dict):
        return {}
    return {
        path.rpartition("node_modules/")[2]: str(one["version"])
        for path, one in listed.items() if path and isinstance(one, dict) and "version" in one
    }  # fmt: skip
