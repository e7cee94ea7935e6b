"""HTML to Markdown: headings, paragraphs, lists, code, tables, links; without scripts, menus and forms."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_LEFT_OUT = "script, style, noscript, template, svg, iframe, object, form, button, select, nav, footer, aside, [hidden]"
_BLOCKS = frozenset(
    """address article blockquote body br dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 h5 h6 header hr
    html li main ol p section summary tbody thead tr ul""".split()  # noqa: SIM905 (a list of them would fill a page)
)
MOST_NODES = 400_000


def html_to_markdown(source: str) -> tuple[str, str]:
    """Title and text. What cannot be parsed does not exist: HTML's parser takes anything."""
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(source)
    titled = page.css_first("title")
    title = " ".join(titled.text().split()) if titled else ""
    for node in page.css(_LEFT_OUT):
        node.decompose()
    found = page.css("main, article, [role=main]")
    # One article is the page; several are a list of teasers.
    root = found[0] if len(found) == 1 and len(found[0].text().split()) > 20 else page.body
    heading = page.css_first("h1")
    if heading and len(found) == 1:
        title = " ".join(heading.text().split()) or title
    writer = _Writer()
    if root is not None:
        writer.walk(root)
    return title, writer.text()


class _Writer:
    """Walks without recursion: pages may be nested deeper than Python's stack."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._lists: list[int] = []  # 0 for bullets, else the number that comes next

    def text(self) -> str:
        joined = re.sub(r"[ \t]+\n", "\n", "".join(self._parts))
        return re.sub(r"\n{3,}", "\n\n", joined).strip()

    def walk(self, root: "LexborNode") -> None:
        waiting: list[tuple[LexborNode, bool]] = [(root, False)]
        for _ in range(2 * MOST_NODES):
            if not waiting:
                return
            node, leaving = waiting.pop()
            if leaving:
                self._leave(node)
                continue
            if not self._enter(node):
                continue
            waiting.append((node, True))
            child, children = node.child, []
            while child is not None:
                children.append((child, False))
                child = child.next
            waiting += reversed(children)

    def _enter(self, node: "LexborNode") -> bool:
        """Write what stands before a node; False when its children are written already, or not wanted."""
        tag = node.tag or ""
        if tag == "-text":
            self._words(node.text_content or "")
            return False
        if tag.startswith(("-", "_", "!")):
            return False
        if tag in ("pre", "table"):
            self._block(_fenced(node) if tag == "pre" else _table(node))
            return False
        if tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else 0)
        if tag in _BLOCKS:
            self._break()
        self._parts.append(self._mark(node, tag))
        return True

    def _leave(self, node: "LexborNode") -> None:
        tag = node.tag or ""
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag == "a" and (target := (node.attributes.get("href") or "")).startswith(("http://", "https://")):
            self._parts.append(f"]({target})")
        if tag == "code":
            self._parts.append("`")
        if tag in _BLOCKS:
            self._break()

    def _mark(self, node: "LexborNode", tag: str) -> str:
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            return "#" * int(tag[1]) + " "
        if tag == "li":
            depth = "  " * max(0, len(self._lists) - 1)
            if self._lists and self._lists[-1]:
                self._lists[-1] += 1
                return f"{depth}{self._lists[-1] - 1}. "
            return f"{depth}- "
        if tag == "a" and (node.attributes.get("href") or "").startswith(("http://", "https://")):
            return "["
        return {"code": "`", "blockquote": "> ", "hr": "\n---\n"}.get(tag, "")

    def _words(self, text: str) -> None:
        words = re.sub(r"\s+", " ", text)
        starts_line = not self._parts or self._parts[-1].endswith(("\n", " "))
        self._parts.append(words.lstrip() if starts_line else words)

    def _break(self) -> None:
        # Items of a list follow each other, everything else is a paragraph.
        self._parts.append("\n" if self._lists else "\n\n")

    def _block(self, text: str) -> None:
        self._parts.append(f"\n\n{text}\n\n")


def _fenced(node: "LexborNode") -> str:
    code = (node.text() or "").strip("\n")
    fence = "```" if "```" not in code else "~~~~"
    return f"{fence}\n{code}\n{fence}" if code.strip() else ""


def _table(node: "LexborNode") -> str:
    rows = []
    for row in node.css("tr"):
        cells = [" ".join((cell.text(separator=" ") or "").split()).replace("|", "\\|") for cell in row.css("th, td")]
        if any(cells):
            rows.append(cells)
    if not rows:
        return ""
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
