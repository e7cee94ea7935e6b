"""Comments as people write them, made safe HTML: fences, lists, headings, bold, code and links; all else is text."""

import html
import re
from collections.abc import Iterator

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FENCE = re.compile(r"^```[\w-]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
SPANS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w*])[*_]([^*_\n]+)[*_](?![\w*])"), r"<em>\1</em>"),
    (re.compile(r"\[([^\]]+)\]\((https?://[^\s)\"']+)\)"), r'<a href="\2" rel="noreferrer">\1</a>'),
)  # fmt: skip
BULLET = re.compile(r"^\s*(?:[-*]|(\d+)\.)\s+(.*)$")
HEADING = re.compile(r"^(#{1,6})\s+(.*)$")


def to_html(text: str) -> str:
    """Markers in HTML comments stay hidden, as on GitHub."""
    shown, parts, last = COMMENT.sub("", text).replace("\r\n", "\n"), [], 0
    for fence in FENCE.finditer(shown):
        parts += [*_blocks(shown[last : fence.start()]), f"<pre>{html.escape(fence[1])}</pre>"]
        last = fence.end()
    return "\n".join([*parts, *_blocks(shown[last:])])


def _blocks(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        while lines:
            if heading := HEADING.match(lines[0]):
                level = min(6, len(heading[1]) + 2)
                yield f"<h{level}>{_spans(heading[2])}</h{level}>"
                lines.pop(0)
            elif bullet := BULLET.match(lines[0]):
                tag, items = "ol" if bullet[1] else "ul", []
                while lines and (one := BULLET.match(lines[0])):
                    items.append(f"<li>{_spans(one[2])}</li>")
                    lines.pop(0)
                yield f"<{tag}>{''.join(items)}</{tag}>"
            else:
                said = []
                while lines and not HEADING.match(lines[0]) and not BULLET.match(lines[0]):
                    said.append(_spans(lines.pop(0)))
                yield f"<p>{'<br>'.join(said)}</p>"


def _spans(line: str) -> str:
    shown = html.escape(line)
    for pattern, replacement in SPANS:
        shown = pattern.sub(replacement, shown)
    return shown
