"""Whether each number that somebody states is one of those that were measured."""

import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"(?<![\w.])[-−+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?\s*%?")
_CITATION = re.compile(r"\[[\d\s,;]{1,40}\]|\(facts? [\d\s,;and]{1,40}\)", re.IGNORECASE)
# Names of columns stand in quotation marks in the evidence: what is written in them was not measured.
_QUOTED = re.compile(r'"[^"]*"')
_URGENCY = re.compile(r"\bP\s?([0-9])\b", re.IGNORECASE)
# Numbers in words: nobody measured them in words.
_IN_WORDS = re.compile(
    r"\b(?:doubl|tripl|quadrupl|halv|twofold|threefold|tenfold|twice|thrice|half of|a third|a quarter|two thirds|"
    r"three quarters|percent|per cent|times (?:as|more|less|higher|lower|worse|better)|dozen|hundred|thousand|million)",
    re.IGNORECASE,
)
NEAR = 0.005


def unmeasured(statement: str, evidence: Iterable[str], names: Sequence[str] = ()) -> list[str]:
    """The numbers in `statement` that no text of `evidence` holds, as they stand; empty when all were measured.

    A number may be rounded, and a share may be told in percent. `names` (of columns, versions) are passed over, for
    digits in them measure nothing. Numbers in words count as unmeasured.
    """
    told = _without(_CITATION.sub(" ", statement), names)
    known = [value for text in evidence for value, _ in _numbers(_QUOTED.sub(" ", text))]
    found = [shown for value, shown in _numbers(_URGENCY.sub(" ", told)) if not _known(value, shown, known)]
    return found + [match.group() for match in _IN_WORDS.finditer(re.sub(r"\d\s*(?:percent|per cent)", " ", told))]


def other_urgency(statement: str, urgency: str | None) -> bool:
    """Whether it names an urgency other than that of the policy."""
    return any(f"P{digit}" != urgency for digit in _URGENCY.findall(statement))


def _without(text: str, names: Sequence[str]) -> str:
    for name in sorted((name for name in names if re.search(r"[^\W\d]", name)), key=len, reverse=True):
        text = re.sub(re.escape(name), " ", text, flags=re.IGNORECASE)
    return text


def _numbers(text: str) -> list[tuple[float, str]]:
    found = []
    for match in _NUMBER.finditer(text):
        shown = match.group().strip()
        plain = shown.replace(",", "").replace("−", "-").rstrip("% ")
        found.append((float(plain) / 100 if shown.endswith("%") else float(plain), shown))
    return found


def _known(value: float, shown: str, known: Sequence[float]) -> bool:
    return any(_same(abs(value), shown, abs(one)) for one in known)


def _same(value: float, shown: str, one: float) -> bool:
    """Equal after rounding to the digits that were shown, or a share against its percent."""
    digits = re.sub(r"[eE].*", "", shown.rstrip("% "))
    places = len(digits.partition(".")[2])
    steps = 10.0**-places / (100 if shown.endswith("%") else 1)
    for scaled in (one, one * 100, one / 100):
        if abs(value - scaled) <= max(steps / 2 * 1.0001, 1e-12) and _meant(value, scaled):
            return True
    return False


def _meant(value: float, scaled: float) -> bool:
    """Rounding must not make much of little: 0 for 0.4, or 1 for 0.6, is another number."""
    return value == scaled or abs(value - scaled) <= max(NEAR, 0.05 * abs(scaled))
