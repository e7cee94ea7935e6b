"""Words that carry meaning, cut so that "restarts", "restarted" and "restart" are one."""

import re
from collections.abc import Iterable

# Whole identifiers, versions and paths stay whole: they are what a question is about.
_WORD = re.compile(r"[^\W_]+(?:[._:/@%-]+[^\W_]+)*%?", re.UNICODE)
_PARTS = re.compile(r"[._:/@-]+")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
# Words that stand in any text, and words of asking. A short list of our own: longer ones swallow terms such as "up".
STOPWORDS = frozenset(
    """a about after again all also am an and any are as at be because been before being but by can cannot could did do
    does doing don each else ever every few for from further get gets got had has have having he her here hers him his
    how i if in into is it its itself just let may me might more most much must my myself no nor not now of off on once
    one only or other our ours out over own please same shall she should so some such than that the their theirs them
    then there these they thing things this those through to too under until up upon us very was way we were what when
    where whether which while who whom whose why will with within without would you your yours tell show say says
    explain describe mean means happen happens need needs want use used using""".split()  # noqa: SIM905 - a list to read
)  # fmt: skip
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
SHORTEST_STEM = 3


def terms(text: str) -> list[str]:
    """The content words of `text` in order, stemmed; compound words also give their parts."""
    found: list[str] = []
    for match in _WORD.finditer(_THOUSANDS.sub("", text)):
        word = match.group().rstrip("%")
        parts = [part for part in _PARTS.split(word) if part]
        camel = [part for part in _CAMEL.findall(word) if len(part) > 1] if word[1:] != word[1:].lower() else []
        each = dict.fromkeys(part.lower() for part in (word, *parts, *camel))
        found += [stem(one) for one in each if one not in STOPWORDS and (len(one) > 1 or one.isdigit())]
    return found


def numbers(text: str) -> set[str]:
    """Numbers as they are written, with one spelling for 1,000 and 1000."""
    return set(_NUMBER.findall(_THOUSANDS.sub("", text)))


def stem(word: str) -> str:
    """A light stem: plurals, -ing, -ed, -ly and -ion go. Words that hold digits stay as they are."""
    if any(letter.isdigit() for letter in word) or len(word) <= SHORTEST_STEM:
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ments", ""), ("ment", ""), ("ations", ""), ("ation", ""),
                            ("ions", ""), ("ion", ""), ("ings", ""), ("ing", ""), ("edly", ""), ("ed", ""), ("ers", ""),
                            ("er", ""), ("ly", ""), ("es", ""), ("s", "")):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= SHORTEST_STEM:
            if ending == "s" and word.endswith(("ss", "us", "is")):
                continue
            word = word[: len(word) - len(ending)] + instead
            break
    if len(word) > SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]  # stopped -> stop
    return word.removesuffix("e") if len(word) > SHORTEST_STEM else word


def cover(wanted: Iterable[str], given: Iterable[str]) -> float:
    """The share of `wanted` terms that stand in `given`; 0 where nothing is wanted."""
    needed, there = set(wanted), set(given)
    return len(needed & there) / len(needed) if needed else 0.0
