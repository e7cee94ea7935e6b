"""Spans of time as the catalogue writes them."""

from datetime import timedelta

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def span_of(text: str) -> timedelta:
    """What "15m", "24h" or "7d" names; the shape was checked when the file was read."""
    return int(text[:-1].strip()) * UNITS[text[-1]]
