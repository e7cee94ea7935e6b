"""Files become Markdown, and what cannot be read is refused in words for people."""

import io
import json
import zipfile

import pypdf
import pytest
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from bot.clients import conversion, conversion_process
from bot.clients.conversion import convert
from pipelines.errors import Refused

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def pdf(*pages, password=None, title=None) -> bytes:
    writer = pypdf.PdfWriter()
    for text in pages:
        page = writer.add_blank_page(300, 300)
        font = DictionaryObject(
            {NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
             NameObject("/BaseFont"): NameObject("/Helvetica")}
        )  # fmt: skip
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): writer._add_object(font)})}
        )
        stream = DecodedStreamObject()
        lines = " ".join(f"({line}) Tj T*" for line in text.split("\n"))
        stream.set_data(f"BT /F1 12 Tf 14 TL 20 250 Td {lines} ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    if title:
        writer.add_metadata({"/Title": title})
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx(body: str, extra: dict[str, bytes] | None = None) -> bytes:
    types = (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    relations = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", relations)
        archive.writestr("word/document.xml", f"<w:document {WORD}><w:body>{body}</w:body></w:document>")
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def paragraph(text: str, style: str = "") -> str:
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{look}<w:r><w:t>{text}</w:t></w:r></w:p>"


def test_markdown_stays_as_it_is():
    found = convert(b"# Rollback\r\n\r\nPress *Undo*.\r\n", "rollback.md")
    assert (found.title, found.text) == ("Rollback", "# Rollback\n\nPress *Undo*.\n")


def test_the_title_comes_from_front_matter_then_a_heading_then_the_name():
    assert convert(b'---\ntitle: "On call"\n---\n# Other\n\ntext', "x.md").title == "On call"
    assert convert("Überschrift\n===\n\ntext".encode(), "x.md").title == "Überschrift"
    assert convert(b"just text", "docs/on-call.txt").title == "on-call"


def test_html_keeps_its_structure_and_loses_its_frame():
    page = b"""<!doctype html><html><head><title>Wiki - Rollback</title><style>p{}</style></head><body>
    <nav><a href="/">Home</a> <a href="/all">All pages</a></nav>
    <main><h1>Rollback</h1><p>Find the <b>last</b> good version with <code>shipmate models</code>,
    see <a href="https://docs.example/x">the guide</a>.</p>
    <h2>Steps</h2><ol><li>Stop</li><li>Move the alias<ul><li>by hand</li></ul></li></ol>
    <pre><code>kubectl rollout undo
  deploy/churn</code></pre>
    <table><tr><th>Model</th><th>Owner</th></tr><tr><td>churn</td><td>a|b</td></tr></table>
    <p>And some more words so that this is the part of the page that people came to read.</p></main>
    <script>alert("x")</script><footer>Imprint</footer></body></html>"""
    found = convert(page, "rollback.html")
    assert found.title == "Rollback"
    assert "# Rollback\n" in found.text
    assert "with `shipmate models`, see [the guide](https://docs.example/x)." in found.text
    assert "1. Stop\n" in found.text
    assert "2. Move the alias" in found.text
    assert "  - by hand" in found.text
    assert "```\nkubectl rollout undo\n  deploy/churn\n```" in found.text
    assert "| Model | Owner |\n| --- | --- |\n| churn | a\\|b |" in found.text
    assert not [word for word in ("alert", "Home", "Imprint", "p{}") if word in found.text]


def test_html_nested_deeper_than_the_stack_is_read():
    assert "deep" in convert(b"<html><body>" + b"<div>" * 20_000 + b"deep water", "x.html").text


def test_a_notebook_keeps_its_cells_in_order():
    cells = [
        {"cell_type": "markdown", "source": ["# Drift\n", "How we measure it."]},
        {"cell_type": "code", "source": "psi(a, b)", "outputs": [
            {"output_type": "execute_result", "data": {"text/plain": ["0.12"], "image/png": "aaaa"}},
            {"output_type": "stream", "text": "\n".join(f"line {n}" for n in range(100))},
        ]},
        {"cell_type": "code", "source": "", "outputs": []},
    ]  # fmt: skip
    found = convert(json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode(), "drift.ipynb")
    assert found.title == "Drift"
    assert "```python\npsi(a, b)\n```\n\n```\n0.12\n```" in found.text
    assert "line 39" in found.text
    assert "line 40" not in found.text


def test_a_pdf_gives_its_text_page_by_page():
    found = convert(pdf("Restart the ser-\nver first", "Then wait", title="Restarting"), "restart.pdf")
    assert (found.title, found.text) == ("Restarting", "Restart the server first\n\nThen wait\n")


def test_a_pdf_is_known_by_its_bytes_whatever_its_name():
    assert "Then wait" in convert(pdf("Then wait"), "notes.txt", "text/plain").text


def test_a_word_file_keeps_headings_and_tables():
    table = (
        f"<w:tbl><w:tr><w:tc>{paragraph('Model')}</w:tc></w:tr><w:tr><w:tc>{paragraph('churn')}</w:tc></w:tr></w:tbl>"
    )
    styles = (
        f'<w:styles {WORD}><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>'
        "</w:styles>"
    ).encode()
    relations = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="s" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>'
        b"</Relationships>"
    )
    body = paragraph("Gates", "Heading1") + paragraph("A gate compares.") + table
    found = convert(docx(body, {"word/styles.xml": styles, "word/_rels/document.xml.rels": relations}), "gates.docx")
    assert found.title == "Gates"
    assert found.text == "# Gates\n\nA gate compares.\n\n| Model |\n| --- |\n| churn |\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_in_other_encodings_is_read(encoding):
    assert convert("Größe prüfen\n".encode(encoding), "x.txt").text == "Größe prüfen\n"


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.md", "is empty"),
        (b" \n\t\n", "a.md", "is empty"),
        (b"---\n***\n", "a.md", "no text"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "notes.md", "a picture"),
        (bytes(range(256)) * 20, "a.txt", "not text"),
        (bytes(range(1, 256)) * 20, "a.txt", "not text"),
        (b"\x7fELF" + b"\x01" * 50, "run", "a program"),
        (b"plain words", "a.pdf", "no PDF"),
        (b"plain words", "a.docx", "no Word file"),
        (b"%PDF-1.7\nnothing more", "a.pdf", "damaged"),
        (pdf("x")[:300], "a.pdf", "damaged"),
        (b"PK\x03\x04word/document.xml" + b"\x00" * 40, "a.docx", "damaged"),
        (b"PK\x03\x04" + b"\x00" * 40, "a.zip", "an archive"),
        (b"{not json", "a.ipynb", "no notebook"),
        (b'{"cells": 5, "nbformat": 4}', "a.ipynb", "no notebook"),
        (b'{"nbformat": 4, "cells": ' + b"[" * 100_000, "a.ipynb", "no notebook"),
        (pdf("secret", password="x"), "a.pdf", "protected by a password"),
        (pdf(""), "scan.pdf", "no text"),
        (docx("<w:p><broken"), "a.docx", "damaged"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(content, name, said):
    with pytest.raises(Refused) as refusal:
        convert(content, name)
    assert said in str(refusal.value)
    assert name in str(refusal.value)


def test_a_pdf_without_a_password_of_its_own_is_read_though_encrypted():
    assert "open to all" in convert(pdf("open to all", password=""), "a.pdf").text


def test_a_file_that_is_too_large_is_refused_before_it_is_looked_at():
    with pytest.raises(Refused, match="is 200 MB; at most 50 MB"):
        convert(b"a" * (200 << 20), "huge.md")


def test_a_word_file_that_unpacks_to_a_gigabyte_is_refused():
    bomb = docx(paragraph("x"), {"word/media/zeros.xml": b"0" * (300 << 20)})
    assert len(bomb) < 1 << 20
    with pytest.raises(Refused, match="unpacks to far more"):
        convert(bomb, "bomb.docx")


def test_a_file_that_takes_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(conversion_process, "TIME_LIMIT_SECONDS", 0.01)
    with pytest.raises(Refused, match="takes too long"):
        convert(pdf("x"), "slow.pdf")


def test_a_file_that_takes_too_much_memory_ends_its_own_process_only():
    deep = docx("<w:p>" * 3_000_000)
    with pytest.raises(Refused, match=r"damaged|more memory or time"):
        convert(deep, "deep.docx")


def test_names_cannot_write_into_the_answer():
    with pytest.raises(Refused) as refusal:
        convert(b"", "../../etc/evil\n*bold*.md")
    assert str(refusal.value) == "evil*bold*.md is empty."


def test_titles_are_short():
    assert len(convert(b"# " + b"word " * 1_000, "a.md").title) <= conversion.LONGEST_TITLE
