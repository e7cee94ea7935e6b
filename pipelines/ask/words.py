"""What the full-text search is given: words, and the parts of names that are written as one."""

import re

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
