"""Answers with their citations, documents, and the form of "Add to knowledge".

All text here is foreign: documents, questions, a language model's words. It is escaped, and shown verbatim, so that
Slack makes no link, mention or channel of it; the only links are those to the sources.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from bot.cards.blocks import (
    Block,
    Card,
    actions,
    button,
    code,
    context,
    cut,
    escape,
    feedback,
    moment,
    mrkdwn,
    progress_bar,
    section,
)
from bot.cards.drawing import draw, draw_form, draw_text
from bot.cards.inert import inert, inert_markdown
from pipelines.ask.ingests import AddForm, FilesOffered, Ingest, Removed, Shelf, Taken
from pipelines.ask.questions import Answer, FeedbackTaken, Question, Sentence, Source
from pipelines.ask.values import Document
from pipelines.people import Permission

MOST_DOCUMENTS = 20
SENTENCE_LIMIT = 700
_OPENABLE = ("https://", "http://")


@draw.register
def _question(value: Question) -> Card:
    asked = () if value.streamed else (_asked(value),)
    if value.state == "working":
        return Card("Looking in the documents…", (*asked, section(":mag: Looking in the documents…")))
    if value.state == "failed" or value.answer is None:
        return Card("No answer", (*asked, section(f":warning: I could not answer: {escape(value.reason)}")))
    drawn = _unknown(value.answer) if value.state == "unknown" else _answered(value.answer)
    pair = feedback("ask.feedback", "ask.feedback.second", f"helpful {value.id}", f"unhelpful {value.id}")
    return Card(_fallback(value), (*asked, *drawn, pair))


def _asked(value: Question) -> Block:
    who = f"<@{value.person_id}>" if value.person_id.startswith(("U", "W")) else escape(value.person_name)
    return _foreign_context(f"{who} asked: {escape(cut(value.text, 300))}")


def _fallback(value: Question) -> str:
    text = value.answer.text if value.answer else ""
    return cut(escape(text), 500) if value.state == "answered" else "I don't know: the documents do not say."


def _answered(answer: Answer) -> list[Block]:
    by_number = {source.number: source for source in answer.sources}
    lines = [_sentence(sentence, by_number) for sentence in answer.sentences]
    blocks = [_foreign("\n".join(lines) if len(lines) > 2 else " ".join(lines))]
    blocks.append(_foreign_context("\n".join(_source(source) for source in answer.sources)))
    return [*blocks, context(_provenance(answer))]


def _sentence(sentence: Sentence, sources: Mapping[int, Source]) -> str:
    marks = "".join(_mark(sources[number]) for number in sentence.citations)
    return f"{_said(sentence.text)} {marks}"


def _mark(source: Source) -> str:
    return f" <{_href(source.url)}|[{source.number}]>" if _opens(source.url) else f" [{source.number}]"


def _said(text: str) -> str:
    """Foreign words: they do nothing, marks of bold or strike-through go, code stays code."""
    parts = cut(text, SENTENCE_LIMIT).split("`")
    shown = [code(part) if place % 2 and part.strip() else _calm(part) for place, part in enumerate(parts)]
    return "".join(shown)


def _calm(text: str) -> str:
    return inert(re.sub(r"(?<!\w)[*_~]+|[*_~]+(?!\w)", "", text))


def _unknown(answer: Answer) -> list[Block]:
    blocks = [section(":grey_question: *I don't know.* The documents that I may read here do not answer this.")]
    if answer.sources:
        nearest = "\n".join(f"•  {_place(source)}" for source in answer.sources)
        blocks.append(_foreign_context(f"Nearest to it:\n{nearest}"))
    return [*blocks, context("Noted as a gap. Know a document that says it? `/ask add URL`, or Add to knowledge.")]


def _source(source: Source) -> str:
    return f"[{source.number}] {_place(source)}"


def _place(source: Source) -> str:
    title = escape(cut(source.title, 120))
    named = f"<{_href(source.url)}|{title}>" if _opens(source.url) else f"*{title}*"
    path = [heading for heading in source.headings if heading != source.title]
    under = "".join(f" › {escape(cut(heading, 80))}" for heading in path[-2:])
    return f"{named}{under}{_lines(source)}"


def _lines(source: Source) -> str:
    """File and lines, where the source is a file."""
    if not source.origin or source.origin.startswith(_OPENABLE):
        return ""
    name = escape(cut(PurePosixPath(source.origin).name or source.origin, 80))
    return f"  ·  {name}:{source.first_line}–{source.last_line}"


def _provenance(answer: Answer) -> str:
    parts = []
    if answer.notice:
        parts.append(f":information_source: {escape(answer.notice)}")
    if answer.written_by:
        parts.append(f"Worded by {escape(answer.written_by)}; each citation was checked against its source.")
    else:
        parts.append("Taken from the documents word by word, without a language model.")
    if answer.left_out:
        count = answer.left_out
        left_out = f"{count} sentences were" if count > 1 else "A sentence was"
        parts.append(f"{left_out} left out, because no document supports it.")
    return " ".join(parts)


@draw_text.register
def _streamed(value: Sentence) -> str:
    """One sentence as Markdown; its citations get their links when the whole answer is drawn."""
    return f"{inert_markdown(value.text)} {''.join(f'({number})' for number in value.citations)} "


@draw.register
def _thanks(value: FeedbackTaken) -> Card:
    text = "Thank you." if value.helpful else "Thank you. It is noted as a gap in the documents."
    return Card(text, (section(text),))


# Documents


@draw.register
def _ingest(value: Ingest) -> Card:
    title = escape(cut(value.title or value.shown_as or value.origin, 150))
    headline, note = _stage(value, title)
    return Card(re.sub(r"[*`]|:\w+:\s*", "", headline), (_foreign(headline), _foreign_context(note)))


def _stage(value: Ingest, title: str) -> tuple[str, str]:
    origin = escape(cut(value.shown_as or value.origin, 200))
    readers = "for everybody" if not value.channels else "for this channel only" if value.channels == (
        value.told_in,) else f"for {len(value.channels)} channel{'s' if len(value.channels) > 1 else ''}"  # fmt: skip
    size = f"{value.words:,} words in {value.chunks:,} piece{'s' if value.chunks != 1 else ''}"
    if value.stage == "failed":
        return f":x: *{title}* was not added: {escape(value.reason)}", origin
    if value.stage == "unchanged":
        return f":white_check_mark: *{title}* is in the documents already.", f"`{value.document_id}`"
    if value.stage in ("added", "replaced"):
        verb = "was added to" if value.stage == "added" else "was read anew for"
        return f":books: *{title}* {verb} the documents.", f"{size} · {readers} · `{value.document_id}`"
    if value.stage == "indexing":
        bar = f"{progress_bar(value.ready / value.chunks)} · " if value.ready else ""
        return f":hourglass_flowing_sand: Indexing *{title}* …", f"{bar}{size} · {readers}"
    return f":hourglass_flowing_sand: Reading *{title}* …", origin


@draw.register
def _taken(value: Taken) -> Card:
    name = escape(cut(value.ingest.shown_as or value.ingest.origin, 200))
    where = "I tell you here privately once it is in" if value.elsewhere else "its card shows how it goes"
    return Card(f"Adding {name}", (_foreign(f"Adding {name}: {where}."),))


@draw.register
def _shelf(value: Shelf) -> Card:
    names = dict(value.names)
    hidden = f"{value.hidden} more for other channels only." if value.hidden else ""
    if not value.documents:
        text = "No documents can be read here yet. Add one: `/ask add URL`, or the shortcut Add to knowledge."
        return Card(text.replace("`", ""), (section(text), *([context(hidden)] if hidden else [])))
    shown = value.documents[:MOST_DOCUMENTS]
    count = len(value.documents)
    blocks: list[Block] = [section(f"*{count} document{'s' if count > 1 else ''}* can be read here.")]
    blocks += [_foreign(_document(document, names)) for document in shown]
    more = f"and {count - len(shown)} more" if count > len(shown) else ""
    blocks.append(context(more, hidden, _how_to_remove(value)))
    return Card(f"{count} documents", tuple(block for block in blocks if block.get("elements") != []))


def _how_to_remove(value: Shelf) -> str:
    return "Remove one: `/ask remove ID`" if value.person.may(Permission.ORDER) else "Newest first."


def _document(document: Document, names: Mapping[str, str]) -> str:
    title = escape(cut(document.title, 150))
    named = f"<{_href(document.url)}|{title}>" if _opens(document.url) else f"*{title}*"
    readers = ", ".join(escape(names.get(channel, channel)) for channel in document.channels[:5]) or "everybody"
    who = f"<@{document.added_by}>" if re.fullmatch(r"[UW][A-Z0-9]+", document.added_by) else escape(document.added_by)
    details = f"`{document.id}` · {document.words:,} words · {readers} · {who}, {moment(document.added_at)}"
    return f"{named}\n{details}"


@draw.register
def _removed(value: Removed) -> Card:
    text = f"{escape(cut(value.document.title, 150))} is no longer in the documents."
    return Card(text, (_foreign(f":wastebasket: {text}"),))


@draw.register
def _offered(value: FilesOffered) -> Card:
    names = ", ".join(escape(name) for name in value.names)
    ask = f"Shall answers draw on {names}?"
    return Card(ask, (_foreign(ask), actions(button("Add to knowledge", "ask.add_files", value.value, "primary"))))


@draw_form.register
def _add_form(value: AddForm) -> Mapping[str, Any]:
    names = ", ".join(escape(name) for _, name in value.files)
    blocks: list[Block] = [_foreign(f"*{names}*")]
    if len(value.files) == 1:
        blocks.append(_title_input(value.files[0][1]))
    blocks.append(_readers_input(value.channel_name))
    return {
        "type": "modal", "callback_id": "ask.add", "title": _plain("Add to knowledge"), "submit": _plain("Add"),
        "close": _plain("Cancel"), "private_metadata": value.private, "blocks": blocks,
    }  # fmt: skip


def _title_input(file_name: str) -> Block:
    element = {
        "type": "plain_text_input", "action_id": "text", "max_length": 150,
        "initial_value": cut(PurePosixPath(file_name).stem.replace("_", " ").replace("-", " "), 150),
    }  # fmt: skip
    return {"type": "input", "block_id": "title", "label": _plain("Title"), "optional": True, "element": element}


def _readers_input(channel_name: str) -> Block:
    here = f"{channel_name} only" if channel_name else "This channel only"
    options = [_option(here, "channel"), _option("Everybody in the workspace", "everybody")]
    element = {"type": "radio_buttons", "action_id": "pick", "options": options, "initial_option": options[0]}
    return {"type": "input", "block_id": "readers", "label": _plain("Who may read answers from it"), "element": element}


def _option(text: str, value: str) -> Block:
    return {"text": _plain(cut(text, 75)), "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": True}


def _foreign(text: str) -> Block:
    """A section in which nothing becomes a link or a mention but what we write as one."""
    block = section(text)
    return block | {"text": block["text"] | {"verbatim": True}}


def _foreign_context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(cut(text, 2_000)) | {"verbatim": True}]}


def _opens(url: str) -> bool:
    try:
        return url.startswith(_OPENABLE) and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _href(url: str) -> str:
    """An address that cannot end the link it stands in."""
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]")
