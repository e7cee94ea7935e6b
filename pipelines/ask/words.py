"""What the full-text search is given: words, and the parts of names that are written as one."""

import re

# Words that say nothing about a subject, those that people ask with among them.
STOP_WORDS = frozenset(
    """a am an and are as at be been being but by can could did do does for from had has have how i if in into is it may
    no not of on or our should so such than that the their then there these they this to was we what when where which
    who why will with would you your""".split()  # noqa: SIM905 (a list of them would fill a page)
)
_NAME = re.compile(r"[^\W_]+")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_ASCII_LONGEST = 64


def search_words(text: str) -> str:
    """The words of a text, lower-cased; `KubePodCrashLooping` gives its parts and, besides, itself.

    People ask for "crash looping pods" where documents name alerts, settings and classes. Stemming and stop words are
    left to the store, which knows the language.
    """
    found: list[str] = []
    for name in _NAME.findall(text):
        parts = _PART.findall(name) if len(name) <= _ASCII_LONGEST and name.isascii() else ()
        if len(parts) > 1:
            found += [part.lower() for part in parts]
        found.append(name.lower())
    return " ".join(found)
