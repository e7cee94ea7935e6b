"""Addresses in what a language model says: one that nobody vouches for is not passed on to people."""

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://(?:[^\s/@]*@)?([\w.-]+)", re.IGNORECASE)
# What fetches or sends names its host without a scheme too.
_FETCH = re.compile(
    r"\b(?:curl|wget|nc|ncat|ssh|scp|rsync|telnet|(?:git|gh repo) clone|--(?:extra-)?index-url|--registry)\b([^|;&\n]*)"
)
_HOST = re.compile(r"(?<![\w./-])(?:[\w-]+@)?((?:[\w-]+\.)+[A-Za-z]{2,})(?=[:/\s`'\")]|$)")


def hosts(text: str) -> set[str]:
    """The hosts that `text` names in addresses and behind commands that fetch or send, in small letters."""
    found = _ADDRESS.findall(text)
    for fetched in _FETCH.findall(text):
        found += _HOST.findall(fetched)
    return {host.lower().strip(".") for host in found}


def vouched(text: str, known: Iterable[str]) -> bool:
    """Whether each host of `text` is one of `known`, or under one of them."""
    trusted = set(known)
    return all(any(host == one or host.endswith(f".{one}") for one in trusted) for host in hosts(text))
