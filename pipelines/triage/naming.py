"""Which files of the repository a log names, and at which lines. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_LINES_NAMED = 8  # of one file
MOST_GUESSES = 4  # paths under which a file may lie in the repository
LONGEST_PATH = 200
_PLACES = (
    re.compile(r'File "(?P<path>[^"\n]+)", line (?P<line>\d+)'),
    re.compile(r"(?P<path>(?:[A-Za-z]:)?[\w./\\@+-]*[\w@+-]\.[A-Za-z]{1,6}):(?P<line>\d+)\b"),
    re.compile(r"(?P<path>[\w./\\@+-]*[\w@+-]\.(?:tsx?|jsx?|cs|kt|vb))\((?P<line>\d+)[,)]"),
    re.compile(r"^\s*-->\s+(?P<path>[\w./-]+):(?P<line>\d+)"),
    re.compile(r"\bin (?P<path>[\w./-]+\.\w{1,5}) on line (?P<line>\d+)"),
)
# Where a runner puts the repository; what comes behind is a path of it.
_CHECKOUT = re.compile(
    r"^(?:/home/runner/work/[^/]+/[^/]+|/__w/[^/]+/[^/]+|/Users/runner/work/[^/]+/[^/]+|[A-Za-z]:/a/[^/]+/[^/]+"
    r"|/github/workspace|/builds/[^/]+/[^/]+|/home/circleci/(?:project|repo)|/home/travis/build/[^/]+/[^/]+|/workspace"
    r"|/usr/src/app|/app|/src|/code)/"
)
# Code of others: it is not in the repository, and not what the change is about.
_FOREIGN = re.compile(
    r"site-packages|dist-packages|node_modules|hostedtoolcache|/usr/(?:lib|local|include|share)|\.cargo/|/rustc/|/go/pkg/"
    r"|\.m2/|\.gradle/|/opt/|<|\.venv/|/tox/|vendor/bundle|/_temp/"
)


def named_places(lines: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Paths as they are likely to stand in the repository, to line numbers; in the order in which they are named."""
    found: dict[str, dict[int, None]] = {}
    for line in lines:
        for path, number in _places(line):
            numbers = found.setdefault(path, {})
            if len(numbers) < MOST_LINES_NAMED:
                numbers[number] = None
    return {path: tuple(numbers) for path, numbers in found.items()}


def _places(line: str) -> Iterator[tuple[str, int]]:
    for pattern in _PLACES:
        for match in pattern.finditer(line[:2_000]):
            path = inside(match["path"])
            if path and 0 < int(match["line"]) < 1_000_000:
                yield path, int(match["line"])


def inside(path: str) -> str:
    """The path without where the runner checked the repository out; "" for code of others and for no path at all."""
    plain = path.replace("\\", "/")
    if len(plain) > LONGEST_PATH or _FOREIGN.search(plain):
        return ""
    plain = _CHECKOUT.sub("", plain)
    while plain.startswith("./"):
        plain = plain[2:]
    return "" if ".." in plain.split("/") else plain


def guesses(path: str, changed: Sequence[str]) -> list[str]:
    """Where the file may lie: among the changed files where one fits, else the path with less and less before it."""
    fitting = [one for one in changed if one == path or one.endswith(f"/{path}") or path.endswith(f"/{one}")]
    if fitting:
        return fitting[:1]
    parts = path.strip("/").split("/")
    shorter = ["/".join(parts[skipped:]) for skipped in range(len(parts))] if path.startswith("/") else [path]
    return shorter[:MOST_GUESSES]


def by_interest(places: Mapping[str, tuple[int, ...]], changed: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Files that were changed since the last green run come first, then as they are named."""
    return sorted(places.items(), key=lambda place: not any(one == guesses(place[0], changed)[0] for one in changed))


def lines_with(text: str, words: Iterable[str]) -> tuple[int, ...]:
    """1-based lines of a workflow file that hold one of these names or commands."""
    wanted = [word for word in words if len(word) > 2]
    rows = text.splitlines()
    return tuple(number for number, row in enumerate(rows, 1) if any(word in row for word in wanted))[:MOST_LINES_NAMED]
