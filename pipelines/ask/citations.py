"""Every citation is checked by code: its number must name a passage, and the passage must share the sentence's content.

What is compared are content words and numbers (terms.py), so that a sentence that says something else than its source
in the source's own words gets past; what invents words, figures or sources does not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.ask.questions import Answer, Sentence, Source
from pipelines.ask.terms import cover, numbers, terms
from pipelines.ask.values import Passage

# By tests/benchmarks/ask_evidence.py a sentence set against its own passage is kept in 99 of 100 cases, against another
# passage that was found with it in 23, for runbooks share sentences (docs/benchmarks.md).
SUPPORT = 0.6
# What a second passage must add to be cited beside a first.
PART = 0.25
# What stands where a secret was taken out before a language model read it; the passage still has the secret itself.
_PLACEHOLDER = re.compile(r"‹secret:[^›]{1,80}›")
MARK = re.compile(r"\s*\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence with the numbers that it claims; `verbatim` says that it was taken from its passage, not written."""

    text: str
    citations: tuple[int, ...]
    verbatim: bool = False


def checked(drafts: Sequence[Draft], passages: Sequence[Passage]) -> tuple[Sentence, ...]:
    """The sentences that hold, with the citations that hold; the others are left out."""
    kept = (check(draft, passages) for draft in drafts)
    return tuple(sentence for sentence in kept if sentence is not None)


def check(draft: Draft, passages: Sequence[Passage]) -> Sentence | None:
    """None when no passage that the draft names supports it."""
    said = "\n".join(passage.chunk.text for passage in passages) if draft.verbatim else ""
    text = inert(MARK.sub("", draft.text), said)
    held = _held(text, draft.citations, passages)
    if not terms(text) or support(text, [passages[number - 1] for number in held]) < SUPPORT:
        return None
    return Sentence(text, held)


def _held(text: str, claimed: Sequence[int], passages: Sequence[Passage]) -> tuple[int, ...]:
    """The claimed numbers that hold: passages that support the sentence alone, or add a part that the others lack."""
    wanted = set(terms(_PLACEHOLDER.sub(" ", text)))
    shared = {
        number: wanted & set(terms(searched(passages[number - 1])))
        for number in dict.fromkeys(claimed)
        if 1 <= number <= len(passages)
    }
    kept: list[int] = []
    covered: set[str] = set()
    for number in sorted(shared, key=lambda one: -len(shared[one])):
        alone, added = len(shared[number]), len(shared[number] - covered)
        if alone >= SUPPORT * len(wanted) or added >= PART * len(wanted):
            kept.append(number)
            covered |= shared[number]
    return tuple(number for number in shared if number in kept)


def support(text: str, passages: Sequence[Passage]) -> float:
    """How much of a sentence's content stands in these passages, from 0 to 1. A number that they lack makes it 0."""
    text = _PLACEHOLDER.sub(" ", text)
    given = " ".join(searched(passage) for passage in passages)
    if not numbers(text) <= numbers(given):
        return 0.0
    return cover(terms(text), terms(given))


def searched(passage: Passage) -> str:
    """All that a passage says, with the headings that it stands under."""
    return " ".join((passage.document.title, *passage.chunk.headings, passage.chunk.text))


def drafts_of(text: str) -> list[Draft]:
    """Written text, cut into sentences with the numbers in brackets that stand in or behind each."""
    return [_draft(part) for part in sentences(text)]


def _draft(part: str) -> Draft:
    cited = [int(number) for mark in MARK.findall(part) for number in re.split(r"\D+", mark)]
    return Draft(MARK.sub("", part).strip(), tuple(dict.fromkeys(cited)))


# A full stop ends a sentence only before white space and something that begins one; marks behind it belong to it.
_END = re.compile(
    r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)(?<!approx\.)((?:\s*\[[\d\s,;]+\])*)\s+(?=[^\s\[])|\n+\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)?"
)


def sentences(text: str) -> list[str]:
    """Sentences and list items of `text`, without bullets."""
    marked = _END.sub(lambda end: f"{end.group(1) or ''}\x00", text.strip())
    return [part.strip().lstrip("-*• ").strip() for part in marked.split("\x00") if part.strip(" -*•\n")]


_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\(\s*<?[^)\s]*[^)]{0,300}\)")
_SLACK = re.compile(r"<(?:[@#!][^<>\n]{0,200}|(?:https?|mailto|slack|ftp|tel):[^<>\n]{0,500})>")
_URL = re.compile(
    r"\b(?:https?|ftp|slack|mailto|tel|data|javascript)\s?:\s?(?://)?[^\s<>\"'`|]+|\bwww\.[^\s<>\"'`|]+", re.I
)
_CALL = re.compile(r"(?<![\w.])[@＠]+\s*(?=(?:channel|here|everyone|group)\b)", re.I)
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def inert(text: str, said: str = "") -> str:
    """Text that calls nobody and leads nowhere. An address stays, as code, only if it stands in `said`."""
    text = _LINK.sub(r"\1", _SLACK.sub("", _INVISIBLE.sub("", text)))
    text = _URL.sub(lambda url: _address(url, said), text)
    return " ".join(_CALL.sub("", text).split())


def _address(url: re.Match[str], said: str) -> str:
    address = url.group().rstrip(".,;:)!?")
    if address not in said:
        return "(address left out)"
    in_code = url.string[: url.start()].count("`") % 2
    return url.group() if in_code else f"`{address}`{url.group()[len(address) :]}"


def source_of(number: int, passage: Passage) -> Source:
    document, chunk = passage.document, passage.chunk
    return Source(
        number, document.id, chunk.number, document.title, chunk.headings, document.url, document.source,
        chunk.first_line, chunk.last_line,
    )  # fmt: skip


def with_sources(
    held: Sequence[Sentence], passages: Sequence[Passage], written_by: str = "", notice: str = "", left_out: int = 0
) -> Answer:
    """The answer of these sentences: only what is cited is a source, numbered anew in the order of citing."""
    order = list(dict.fromkeys(number for sentence in held for number in sentence.citations))
    fresh = {number: place for place, number in enumerate(order, 1)}
    renumbered = tuple(Sentence(one.text, tuple(fresh[number] for number in one.citations)) for one in held)
    sources = tuple(source_of(fresh[number], passages[number - 1]) for number in order)
    return Answer(renumbered, sources, written_by, notice, left_out)
