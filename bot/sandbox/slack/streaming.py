"""How the chunks of a stream become a message: text, a plan of tasks, blocks."""

from typing import Any

from bot.sandbox.slack.store import Document

STATUSES = frozenset({"pending", "in_progress", "complete", "error"})
TASK_CHARACTERS = 256


class InvalidChunks(ValueError):
    """Says in Slack's manner what is wrong with the chunks."""


def appended(message: Document, chunks: Any) -> Document:
    """The message with these chunks behind what it has; the one that is given stays as it was."""
    if not isinstance(chunks, list):
        raise InvalidChunks("must provide an array")
    written = message | {"blocks": list(message.get("blocks", []))}
    for chunk in chunks:
        _append(written, chunk)
    return written


def _append(message: Document, chunk: Any) -> None:
    kind = chunk.get("type") if isinstance(chunk, dict) else None
    if kind == "markdown_text":
        _text(message, _string(chunk, "text"))
    elif kind == "task_update":
        _task(message["blocks"], chunk)
    elif kind == "plan_update":
        _plan(message["blocks"], _string(chunk, "title", TASK_CHARACTERS))
    elif kind == "blocks" and isinstance(chunk.get("blocks"), list):
        message["blocks"].extend(chunk["blocks"])
    else:
        raise InvalidChunks(f"unsupported type: {kind}")


def _text(message: Document, text: str) -> None:
    """Text goes on where the last text stands, unless something else came between."""
    if not text:
        return
    message["text"] += text
    blocks = message["blocks"]
    if blocks and blocks[-1].get("type") == "markdown":
        blocks[-1] = blocks[-1] | {"text": blocks[-1]["text"] + text}
    else:
        blocks.append({"type": "markdown", "text": text})


def _task(blocks: list[Document], chunk: Document) -> None:
    """A task is known by its id: the first update adds it, later ones change it."""
    status = chunk.get("status", "pending")
    if status not in STATUSES:
        raise InvalidChunks(f"must be one of: {', '.join(sorted(STATUSES))}")
    task: Document = {"task_id": _string(chunk, "id", TASK_CHARACTERS), "title": _string(chunk, "title"),
                      "status": status}  # fmt: skip
    for name in ("details", "output"):
        if chunk.get(name):
            task[name] = _rich_text(_string(chunk, name))
    if isinstance(chunk.get("sources"), list):
        task["sources"] = chunk["sources"]
    for index, block in enumerate(blocks):
        if block.get("type") == "plan":
            blocks[index] = block | {"tasks": _with_task(block.get("tasks", []), task)}
            return
        if block.get("type") == "task_card" and block.get("task_id") == task["task_id"]:
            blocks[index] = block | task
            return
    blocks.append({"type": "task_card", **task})


def _plan(blocks: list[Document], title: str) -> None:
    """A plan gathers the tasks that already stand alone."""
    for index, block in enumerate(blocks):
        if block.get("type") == "plan":
            blocks[index] = block | {"title": title}
            return
    loose = [block for block in blocks if block.get("type") == "task_card"]
    tasks = [{name: value for name, value in block.items() if name not in ("type", "block_id")} for block in loose]
    at = blocks.index(loose[0]) if loose else len(blocks)
    blocks[:] = [block for block in blocks if block not in loose]
    blocks.insert(at, {"type": "plan", "title": title, "tasks": tasks})


def _with_task(tasks: list[Document], task: Document) -> list[Document]:
    known = {one["task_id"]: one for one in tasks}
    known[task["task_id"]] = known.get(task["task_id"], {}) | task
    return list(known.values())


def _rich_text(text: str) -> Document:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}


def _string(chunk: Document, name: str, most: int = 12_000) -> str:
    value = chunk.get(name)
    if not isinstance(value, str):
        raise InvalidChunks(f"missing required field: {name}")
    if len(value) > most:
        raise InvalidChunks(f"must be less than {most + 1} characters")
    return value
