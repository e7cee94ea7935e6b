"""Text that a language model wrote, or that came from outside through one: it is shown, and it does nothing.

No mention of people, groups or a whole channel; no link but those that code allows; no emoji that could pass for a
verdict of ours. `inert` gives mrkdwn for the blocks of cards, `inert_markdown` Markdown for streamed messages.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence

from bot.cards.blocks import SECTION_LIMIT, Block, code, cut, escape

# Stands between the letters of what Slack would otherwise act on. It has no width, and breaks no line.
JOINER = "\u2060"
NO_LINK = "‹link removed›"

_SCHEME = r"(?:https?|ftp|file|slack|mailto|tel|sms|data|javascript|vbscript|ssh|wss?)"
# An address ends where white space, a bracket or a quotation mark does.
_ADDRESS = r"[^\s<>\"'`|\[\](){}\\^]{1,2000}"
_LINK = re.compile(
    # Slack's own form, <address|label>; mentions are none, and are escaped below.
    rf"<(?P<slack>{_SCHEME}:[^<>|\n]{{0,2000}})(?:\|(?P<slack_label>[^<>\n]{{0,200}}))?>"
    # Markdown's: [label](address "title") and ![picture](address).
    r"|!?\[(?P<label>[^\[\]\n]{0,200})\]\(\s*<?(?P<markdown>[^()\s<>]{0,2000})>?(?:\s[^()\n]{0,200})?\)"
    # The bare address: any scheme with two slashes, the others by name, and www.
    rf"|(?<![a-z0-9])(?P<bare>(?:{_SCHEME}:|[a-z][a-z0-9+.-]{{0,20}}://|www\.){_ADDRESS})",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?"  # ends the sentence, not the address
# What Slack's apps make a link of without a scheme: a dotted name before a slash, or with one of these endings.
_ENDINGS = "com|net|org|io|dev|ai|app|co|ru|cn|xyz|info|biz|me|link|click|top|site|online|page|zip|example|test"
_DOMAIN = re.compile(
    rf"(?<![\w.-])(?:[\w-]{{1,63}}\.){{1,8}}(?:(?:{_ENDINGS})(?![\w-])(?!\.\w)|[a-z]{{2,24}}(?=[/?]))", re.IGNORECASE
)
_STEERING = re.compile(
    r"@(?=\w)"  # @channel, @here, names, groups, e-mail addresses
    r"|(?<![\w&])#(?=[\w-])"  # channels
    r"|:(?=[a-z0-9_+'-]{0,60}[a-z][a-z0-9_+'-]{0,60}:)",  # emoji
    re.IGNORECASE,
)


def inert(text: str, allowed: Collection[str] = (), limit: int = SECTION_LIMIT) -> str:
    """mrkdwn that shows `text`. Addresses in `allowed` stay links, all others are taken out and leave a mark."""
    return _without_effect(text, allowed, limit, _mrkdwn, lambda url, label: f"<{url}|{label}>")


def inert_line(text: str, allowed: Collection[str] = (), limit: int = SECTION_LIMIT) -> str:
    """The same in one line, so that it cannot look like a part of the card."""
    return inert(" ".join(text.split()), allowed, limit)


def inert_words(text: str, limit: int = SECTION_LIMIT) -> str:
    """The same without code: a backtick would begin some that swallows what follows."""
    return inert_line(text.replace("`", "ˋ"), limit=limit)


def inert_name(text: str, limit: int = 80) -> str:
    """A short name, such as that of a file, as inline code."""
    return code(cut(" ".join(visible(text).split()), limit) or "–")


def inert_markdown(text: str, allowed: Collection[str] = (), limit: int = 12_000) -> str:
    """The same as Markdown. Give it a text as a whole: two halves may be a link that neither is."""
    return _without_effect(text, allowed, limit, _markdown, lambda url, label: f"[{label}]({url})")


def inert_section(text: str, allowed: Collection[str] = ()) -> Block:
    """A section that shows `text`; Slack is told to leave names and addresses in it alone."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": inert(text, allowed) or " ", "verbatim": True}}


def _without_effect(
    text: str,
    allowed: Collection[str],
    limit: int,
    plain: Callable[[str], str],
    link: Callable[[str, str], str],
) -> str:
    shown = visible(text)
    pieces: list[str] = []
    position = 0
    for match in _LINK.finditer(shown):
        found = match["slack"] or match["markdown"] or match["bare"] or ""
        url, rest = found, ""
        if match["bare"] and url not in allowed:
            url = found.rstrip(_TRAILING)
            rest = found[len(url) :]
        label = plain(_LINK.sub(NO_LINK, match["slack_label"] or match["label"] or ""))
        replaced = f"{label} {NO_LINK}".lstrip()
        if url in allowed:
            replaced = link(_in_link(url), label) if label else f"<{_in_link(url)}>"
        pieces += [plain(shown[position : match.start()]), replaced, plain(rest)]
        position = match.end()
    return _cut([*pieces, plain(shown[position:])], limit)


def _cut(pieces: Sequence[str], limit: int) -> str:
    """As much as fits. Of three pieces the second is a link; one that does not fit whole is left out."""
    kept: list[str] = []
    left = limit - 1
    for number, piece in enumerate(pieces):
        if len(piece) > left:
            half = "" if number % 3 == 1 else re.sub(r"&[a-z]{0,4}$", "", piece[:left])
            return "".join([*kept, half, "…"])
        kept.append(piece)
        left -= len(piece)
    return "".join(kept)


def visible(text: str) -> str:
    """Without control, format (bidirectional overrides, zero-width, tags), private and broken characters."""
    return "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter)[0] != "C")


def _mrkdwn(text: str) -> str:
    return escape(_neutral(text))


def _markdown(text: str) -> str:
    return _neutral(text).replace("<", f"<{JOINER}")


def _neutral(text: str) -> str:
    text = _DOMAIN.sub(lambda match: match.group().replace(".", f".{JOINER}"), text)
    return _STEERING.sub(lambda match: match.group() + JOINER, text).replace("](", f"]{JOINER}(")


def _in_link(url: str) -> str:
    """An allowed address, with what would end the link written as RFC 3986 writes it."""
    return re.sub(r"[<>|()\s]", lambda match: f"%{ord(match.group()):02X}", url)
