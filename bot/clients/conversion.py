"""Turns a file into Markdown and a title: Markdown, text, HTML, PDF, DOCX, notebooks.

What a file is, is told by its first bytes before its name. PDF and DOCX are read in a process of their own, with a
limit to its memory and time: both formats can be made to eat a machine. Why these libraries: docs/decisions/0007.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from bot.clients.conversion_html import html_to_markdown
from bot.clients.conversion_process import convert_apart
from pipelines.ask.markdown import title_of
from pipelines.errors import Refused

Format = Literal["markdown", "html", "pdf", "docx", "notebook"]
MOST_BYTES = 50 << 20
MOST_CHARACTERS = 12_000_000  # of converted text
LONGEST_TITLE = 200
KINDS = "Markdown, text, HTML, PDF, Word (.docx) and notebooks (.ipynb)"
_BY_SUFFIX: Mapping[str, Format] = {
    ".html": "html", ".htm": "html", ".xhtml": "html", ".pdf": "pdf", ".docx": "docx", ".ipynb": "notebook",
    ".md": "markdown", ".markdown": "markdown", ".txt": "markdown", ".rst": "markdown", ".text": "markdown",
}  # fmt: skip
_BY_MEDIA_TYPE: Mapping[str, Format] = {
    "text/html": "html", "application/xhtml+xml": "html", "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/x-ipynb+json": "notebook",
}  # fmt: skip
_FOREIGN = (
    (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"), (b"RIFF", "a recording"),
    (b"\xd0\xcf\x11\xe0", "an old Office file; save it as .docx or .pdf"), (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf", "an archive"), (b"Rar!", "an archive"), (b"\x7fELF", "a program"), (b"MZ", "a program"),
    (b"SQLite format 3", "a database"), (b"PAR1", "a table"), (b"\x28\xb5\x2f\xfd", "a compressed file"),
    (b"{\\rtf", "an RTF file; save it as .docx or .pdf"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Converted:
    """`text` is Markdown with line breaks of one kind and without control characters."""

    title: str
    text: str


def convert(content: bytes, name: str = "", media_type: str = "") -> Converted:
    """Raises Refused, in words for people, for what cannot be read: too large, encrypted, damaged, of another kind."""
    shown = _shown(name)
    if len(content) > MOST_BYTES:
        raise Refused(
            f"{shown} is {len(content) >> 20} MB; at most {MOST_BYTES >> 20} MB can be read. Share a part of it."
        )
    if not content.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise Refused(f"{shown} is empty.")
    found = _READERS[_format(content, name, media_type, shown)](content, shown)
    text = _clean(found.text)
    if not re.search(r"\w", text):
        raise Refused(f"There is no text in {shown}. If it is a scan, share a version whose text can be selected.")
    if len(text) > MOST_CHARACTERS:
        raise Refused(f"{shown} holds {len(text) // 1_000_000} million characters; share a part of it.")
    title = _clean(found.title) or title_of(text) or PurePosixPath(name.replace("\\", "/")).stem
    return Converted(" ".join(title.split())[:LONGEST_TITLE], text)


def _format(content: bytes, name: str, media_type: str, shown: str) -> Format:
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        if b"word/" in content:
            return "docx"
        raise Refused(f"{shown} is an archive or an Office file other than .docx. What can be read: {KINDS}.")
    for mark, what in _FOREIGN:
        if content.startswith(mark):
            raise Refused(f"{shown} is {what}. What can be read: {KINDS}.")
    suffix = PurePosixPath(name.replace("\\", "/").lower()).suffix
    wished = _BY_SUFFIX.get(suffix) or _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())
    if wished in ("pdf", "docx"):
        raise Refused(f"{shown} is no {'PDF' if wished == 'pdf' else 'Word file'}, whatever its name says.")
    if wished == "notebook" or (start.startswith(b"{") and b'"cells"' in content and b'"nbformat"' in content):
        return "notebook"
    if wished:
        return wished
    return "html" if re.match(rb"<(!doctype html|html|head|body)\b", start, re.IGNORECASE) else "markdown"


def _from_markdown(content: bytes, shown: str) -> Converted:
    return Converted("", _decoded(content, shown))


def _from_html(content: bytes, shown: str) -> Converted:
    title, text = html_to_markdown(_decoded(content, shown))
    return Converted(title, text)


def _from_notebook(content: bytes, shown: str) -> Converted:
    """Cells in order; code keeps its fence, outputs their plain text."""
    try:
        notebook = json.loads(_decoded(content, shown))
        language = str((notebook.get("metadata", {}).get("kernelspec") or {}).get("language") or "python")
        cells = notebook.get("cells") or [cell for sheet in notebook.get("worksheets", []) for cell in sheet["cells"]]
        parts = [part for cell in cells for part in _cell(cell, language)]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise Refused(f"{shown} is no notebook that can be read; open it in Jupyter and save it anew.") from None
    return Converted("", "\n\n".join(parts))


def _cell(cell: Mapping[str, object], language: str) -> list[str]:
    source = _joined(cell.get("source") or cell.get("input")).strip("\n")
    if not source.strip():
        return []
    if cell.get("cell_type") != "code":
        return [source]
    outputs = [_output(output) for output in cell.get("outputs") or ()]  # type: ignore[attr-defined]
    fenced = [f"```\n{output}\n```" for output in outputs if output.strip()]
    return [f"```{language}\n{source}\n```", *fenced]


def _output(output: Mapping[str, object]) -> str:
    content = output.get("data")
    plain = content.get("text/plain") if isinstance(content, Mapping) else output.get("text")
    lines = _joined(plain).strip("\n").splitlines()
    return "\n".join(lines[:40])  # enough to see what it is; pages of numbers would drown the words


def _joined(source: object) -> str:
    return "".join(str(line) for line in source) if isinstance(source, list) else str(source or "")


_READERS: Mapping[Format, Callable[[bytes, str], Converted]] = {
    "markdown": _from_markdown,
    "html": _from_html,
    "notebook": _from_notebook,
    "pdf": lambda content, shown: Converted(*convert_apart("pdf", content, shown)),
    "docx": lambda content, shown: Converted(*convert_apart("docx", content, shown)),
}


def _decoded(content: bytes, shown: str) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    if b"\x00" in content:
        raise Refused(f"{shown} is not text. What can be read: {KINDS}.")
    try:
        return content.decode()
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    odd = sum(
        1 for letter in text[:20_000] if unicodedata.category(letter) in ("Cc", "Cn", "Co") and letter not in "\t\r\n"
    )
    if odd > len(text[:20_000]) / 50:
        raise Refused(f"{shown} is not text. What can be read: {KINDS}.")
    return text


def _clean(text: str) -> str:
    """One kind of line break, no control characters, nothing that cannot be stored."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n\n")
    text = re.sub(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u200b\ufeff\ud800-\udfff]", "", text)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n") + "\n" if text.strip() else ""


def _shown(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "", PurePosixPath(name.replace("\\", "/")).name)[:100] or "The file"
