"""From a file to plain values that still know their lines."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedBase, CommentedMap, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

LARGEST_BYTES = 1_000_000
MOST_VALUES = 50_000  # an alias of an alias can stand for billions
DEEPEST = 100  # brackets in brackets
BRACKETS = re.compile(r"[\[\]{}]")


class Unreadable(Exception):
    """The file is no YAML that we can take."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


class Document:
    """A YAML document: `plain` has only dicts, lists and scalars."""

    def __init__(self, tree: object) -> None:
        self._tree = tree
        self.plain = _plain(tree)

    def line(self, where: Sequence[str | int]) -> int:
        """The line of the key or item at `where`, or of the nearest thing around it that is in the file."""
        node, line = self._tree, 0
        for part in where:
            if not isinstance(node, CommentedBase):
                break
            key = _key_like(node, part)
            try:
                line = node.lc.key(key)[0] if isinstance(node, CommentedMap) else node.lc.item(part)[0]
                node = node[key]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                break
        return int(line) + 1


def read_document(path: Path) -> Document:
    """Raises Unreadable with the line and what to do about it."""
    return Document(_parse(_read_text(path)))


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable(1, "there is no such file. Write one, or say where it is: SHIPMATE_CATALOGUE_PATH") from None
    except OSError as error:
        raise Unreadable(1, f"the file cannot be read: {error.strerror}.") from None
    if len(content) > LARGEST_BYTES:
        raise Unreadable(1, f"the file is larger than {LARGEST_BYTES:,} bytes; is it the catalogue?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Unreadable(line, "the file is not UTF-8 text here. Save it as UTF-8.") from None
    if not text.strip():
        raise Unreadable(1, "the file is empty. Write e.g. models: … (docs/configuration.md has an example)")
    return text


def _too_deep(text: str) -> bool:
    """The parser's time grows with the square of the depth: 20,000 brackets would take it seven seconds."""
    depth = 0
    for bracket in BRACKETS.finditer(text):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _parse(text: str) -> object:
    if _too_deep(text):
        raise Unreadable(1, "the file is nested too deeply.")
    try:
        tree: object = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        raise Unreadable(_line_of(error), f"{_problem(error)} Keep one of the two.") from None
    except MarkedYAMLError as error:
        raise _not_yaml(text, error) from None
    except (YAMLError, ValueError) as error:
        raise Unreadable(1, f"this is not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise Unreadable(1, "the file is nested too deeply.") from None
    if tree is None:
        raise Unreadable(1, "the file holds only comments. Write e.g. models: …")
    _check_size(tree)
    return tree


def _not_yaml(text: str, error: MarkedYAMLError) -> Unreadable:
    lines = text.splitlines()
    number = min(_line_of(error), len(lines))
    line = lines[number - 1]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Unreadable(number, "a tab indents this line; YAML allows only spaces. Write two spaces instead.")
    return Unreadable(number, f"this is not YAML: {_problem(error)}")


def _line_of(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark else 1


def _problem(error: MarkedYAMLError) -> str:
    first = str(error.problem or error.context or "").strip().splitlines() or ["it cannot be parsed"]
    return f"{first[0].partition(' with value')[0].rstrip('.')}."


def _check_size(tree: object) -> None:
    waiting, count = [tree], 0
    while waiting:
        node = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise Unreadable(1, f"the file stands for more than {MOST_VALUES:,} values; are there aliases in a circle?")
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _plain(node: object) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if isinstance(node, TaggedScalar):
        return str(node.value)
    return _scalar(node)


def _scalar(node: object) -> object:
    """ruamel keeps how a number was written in classes of its own; we want the number."""
    if isinstance(node, ScalarBoolean):
        return bool(node)
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _key_like(node: object, part: str | int) -> object:
    """The key as it stands in the tree: `1:` is a number there and text everywhere else."""
    if isinstance(node, CommentedMap) and part not in node:
        return next((key for key in node if str(key) == part), part)
    return part
