"""Where in a text the secrets are."""

import math
import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bot.redaction.patterns import (
    BASE64_LINE,
    BLOCK_LINE,
    HASH_BEFORE,
    KEYS,
    LONGEST_NAME,
    NAME_NEEDLES,
    NAMED_PASSWORD,
    NAMED_SECRET,
    NAMED_VARIABLE,
    PASSWORD_FLAG,
    PEM_BEGIN,
    PEM_BODY,
    PEM_END,
    PLACES,
    RANDOM,
    RANDOM_BITS,
    SECRET_BLOCK,
    SECRET_DOCUMENT,
    SECRET_FLAG,
    SECRET_NAME,
    Pattern,
    borrowed,
)

SHORTEST_SECRET = 8  # behind a name such as token=; behind password= everything counts
LONGEST_KEY_LINES = 200
MARK = "‹secret:"
PLACEHOLDER = re.compile(r"‹secret:[a-z-]{1,40}:\d{1,9}›")
WORD = re.compile(r"[A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    end: int
    kind: str


def find_secrets(text: str) -> list[Span]:
    """The secrets in `text`, in order, without overlaps; of two that overlap the one that begins first, grown."""
    taken = [match.span() for match in PLACEHOLDER.finditer(text)] if MARK in text else []
    found = [span for span in _all(text) if span.start < span.end and not _touches(span, taken)]
    # Sorted stably: of equal spans the first is the one with the more telling name.
    found.sort(key=lambda span: (span.start, -span.end))
    merged: list[Span] = []
    for span in found:
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Span(last.start, max(last.end, span.end), last.kind)
        else:
            merged.append(span)
    return merged


def _touches(span: Span, taken: list[tuple[int, int]]) -> bool:
    """Whether the span holds part of a placeholder: what an earlier pass took out is not taken out again."""
    index = bisect(taken, (span.end,))
    return index > 0 and taken[index - 1][1] > span.start


def _all(text: str) -> Iterator[Span]:
    lowered = text.lower()
    yield from _private_keys(text)
    for pattern in (*KEYS, *borrowed(), *PLACES):
        if any(needle in lowered for needle in pattern.needles):
            yield from _matches(pattern, text)
    if any(needle in lowered for needle in NAME_NEEDLES):
        yield from _named(text)
        yield from _variables(text)
    if SECRET_DOCUMENT.search(text):
        yield from _secret_documents(text)
    yield from _random(text)


def _variables(text: str) -> Iterator[Span]:
    """`- name: DB_PASSWORD` with its `value:` on the next line, as in the manifest of a pod."""
    for match in NAMED_VARIABLE.finditer(text):
        if SECRET_NAME.search(match.group(1)):
            yield _value(match, "named-secret", first_group=2)


def _secret_documents(text: str) -> Iterator[Span]:
    """All that a Kubernetes Secret holds, whatever it looks like."""
    start = 0
    for document in text.split("\n---"):
        if SECRET_DOCUMENT.search(document):
            for block in SECRET_BLOCK.finditer(document):
                for line in BLOCK_LINE.finditer(block.group(1)):
                    offset = start + block.start(1)
                    yield Span(offset + line.start(1), offset + line.end(1), "kubernetes-secret")
        start += len(document) + len("\n---")


def _matches(pattern: Pattern, text: str) -> Iterator[Span]:
    for match in pattern.regex.finditer(text):
        start, end = match.span(pattern.group)
        yield Span(start, end, pattern.kind)


def _named(text: str) -> Iterator[Span]:
    for regex in (NAMED_PASSWORD, PASSWORD_FLAG):
        for match in regex.finditer(text):
            yield _value(match, "password")
    for regex in (NAMED_SECRET, SECRET_FLAG):
        for match in regex.finditer(text):
            span = _value(match, "named-secret")
            if _telling(text[span.start : span.end]) and (regex is SECRET_FLAG or _names_a_secret(text, match)):
                yield span


def _names_a_secret(text: str, match: re.Match[str]) -> bool:
    """`api_key` does, `primary_key` does not; the pattern saw only the last word of the name."""
    name = WORD.match(match.group())
    before = text[max(0, match.start() - LONGEST_NAME) : match.start()]
    return name is not None and SECRET_NAME.search(before + name.group()) is not None


def _value(match: re.Match[str], kind: str, first_group: int = 1) -> Span:
    """The span of VALUE, whose three groups begin at `first_group`: in double quotes, in single ones, in none."""
    group = next(number for number in range(first_group, first_group + 3) if match.group(number) is not None)
    start, end = match.span(group)
    if group == first_group + 2:  # not quoted: the sentence goes on behind it
        end = start + len(match.group(group).rstrip(".,:)]}\\"))
    return Span(start, end, kind)


def _telling(value: str) -> bool:
    """Whether this can be a secret: `token: 512`, `secret=db-credentials` or `key: customer_id` cannot."""
    if len(value) < SHORTEST_SECRET or value.count(" ") > 2:
        return False
    return any(letter.isdigit() for letter in value) or (len(value) >= 16 and not value.islower()) or len(value) >= 40


def _random(text: str) -> Iterator[Span]:
    for match in RANDOM.finditer(text):
        word = match.group()
        before = text[max(0, match.start() - 24) : match.start()]
        pathlike = word.count("/") > len(word) // 16
        if not pathlike and entropy(word) > RANDOM_BITS and not HASH_BEFORE.search(before):
            yield Span(match.start(), match.end(), "random-text")


def entropy(word: str) -> float:
    """Shannon entropy in bits a character."""
    counts = Counter(word).values()
    return -sum(count / len(word) * math.log2(count / len(word)) for count in counts)


def _private_keys(text: str) -> Iterator[Span]:
    """PEM blocks, also those whose beginning or end was cut off."""
    if "PRIVATE KEY" not in text:
        return
    covered = 0
    for begin in PEM_BEGIN.finditer(text):
        if begin.start() < covered:
            continue
        body = PEM_BODY.match(text, begin.end())
        covered = body.end() if body else begin.end()
        end = PEM_END.match(text, covered)
        # Of a key that was cut off the last line end stays: what follows keeps its own line.
        covered = end.end() if end else begin.start() + len(text[begin.start() : covered].rstrip())
        yield Span(begin.start(), covered, "private-key")
    covered = 0
    for end in PEM_END.finditer(text):
        yield Span(_walk_back(text, covered, end.start()), end.end(), "private-key")
        covered = end.end()


def _walk_back(text: str, earliest: int, position: int) -> int:
    """Where the lines of base64 before `position` begin."""
    window = text[max(earliest, position - LONGEST_KEY_LINES * 80) : position]
    for line in reversed(window.splitlines(keepends=True)):
        if not BASE64_LINE.fullmatch(line):
            break
        position -= len(line)
    return position
