"""Reads PDF and DOCX in a process of its own, so that a hostile file ends that process and not the bot."""

import io
import json
import re
import resource
import subprocess
import sys
import zipfile
from xml.parsers.expat import ExpatError

from bot.clients.conversion_html import html_to_markdown
from pipelines.errors import Refused

TIME_LIMIT_SECONDS = 120
MEMORY_LIMIT_BYTES = 1 << 30
MOST_PAGES = 3_000
MOST_UNPACKED_BYTES = 200 << 20
MOST_ANSWER_BYTES = 64 << 20
ENVIRONMENT = {"LANG": "C.UTF-8"}  # and none of the bot's secrets


def convert_apart(kind: str, content: bytes, shown: str) -> tuple[str, str]:
    """Title and Markdown. Raises Refused when the file is at fault, or takes more than it may."""
    # -P: modules come from the installation, not from the folder that the bot was started in.
    command = [sys.executable, "-P", "-c", f"from bot.clients.conversion_process import main; main({kind!r})"]
    try:
        ended = subprocess.run(  # noqa: S603 (our own program; the file goes to its standard input)
            command, input=content, capture_output=True, check=False, timeout=TIME_LIMIT_SECONDS, env=ENVIRONMENT
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"{shown} takes too long to read. Share it as text, or a part of it.") from None
    if len(ended.stdout) > MOST_ANSWER_BYTES or ended.returncode < 0 or b"MemoryError" in ended.stderr:
        raise Refused(f"{shown} needs more memory or time than a document should. Share it as text, or a part of it.")
    if ended.returncode != 0:
        raise Refused(f"{shown} cannot be read: it is damaged. Save it anew, or share its text.")
    answer = json.loads(ended.stdout)
    if "refused" in answer:
        raise Refused(f"{shown} {answer['refused']}")
    return answer["title"], answer["text"]


def main(kind: str) -> None:
    """In the process apart: the file on standard input, one JSON object on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME_LIMIT_SECONDS, TIME_LIMIT_SECONDS))
    content = sys.stdin.buffer.read()
    try:
        title, text = read_pdf(content) if kind == "pdf" else read_docx(content)
        answer = {"title": title, "text": text}
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode(errors="replace"))


def read_pdf(content: bytes) -> tuple[str, str]:
    """Text page by page; each page a paragraph of its own."""
    import logging

    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused("is protected by a password. Share a copy without one.")
        if len(reader.pages) > MOST_PAGES:
            raise Refused(f"has {len(reader.pages)} pages; at most {MOST_PAGES} can be read. Share a part of it.")
        pages = [_page(page) for page in reader.pages]
        title = str((reader.metadata.title if reader.metadata else "") or "")
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OSError) as error:
        raise Refused(
            "is a PDF that cannot be read: it is damaged. Print it to a new PDF, or share its text."
        ) from error
    except ImportError as error:
        raise Refused("is encrypted in a way that cannot be read. Share a copy without it.") from error
    return title, "\n\n".join(page for page in pages if page)


def _page(page: "object") -> str:
    """Lines of a page; words that were parted at the end of a line are whole again."""
    text: str = page.extract_text() or ""  # type: ignore[attr-defined]
    return re.sub(r"(\w)-\n(?=[a-z])", r"\1", text).strip()


def read_docx(content: bytes) -> tuple[str, str]:
    import mammoth

    damaged = "is a Word file that cannot be read: it is damaged. Save it anew, or share its text."
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED_BYTES:
                raise Refused("unpacks to far more than a document should hold.")
            if any(entry.flag_bits & 1 for entry in archive.infolist()):
                raise Refused("is protected by a password. Share a copy without one.")
        nothing = mammoth.images.img_element(lambda _image: {})
        html = mammoth.convert_to_html(io.BytesIO(content), convert_image=nothing).value
    except (zipfile.BadZipFile, ExpatError, LookupError, ValueError, TypeError, AttributeError, OSError) as error:
        raise Refused(damaged) from error
    except RecursionError as error:
        raise Refused(damaged) from error
    return html_to_markdown(html)
