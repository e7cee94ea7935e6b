"""blocks.validate: the judge of Block Kit, asked without sending anything."""

from typing import Any

from bot.sandbox.slack.blockkit import Complaint, judge_attachments, judge_blocks, judge_view
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.registry import Answer, Call, method


@method("blocks.validate", caller="anybody", per_minute=None)
def validate(call: Call) -> Answer:
    given = [name for name in ("blocks", "message", "view") if call.get(name) is not None]
    if len(given) != 1:
        raise SlackError("invalid_arguments")
    name = given[0]
    found = _complaints(name, call.get(name))
    if found:
        raise SlackError(f"invalid_{name}", errors=[_shown(complaint, name) for complaint in found])
    return {}


def _complaints(name: str, document: Any) -> list[Complaint]:
    if name == "view":
        return judge_view(document)
    if name == "blocks":
        return judge_blocks(document, "message")
    if not isinstance(document, dict):
        return [Complaint("must provide an object", "")]
    return [
        *(judge_blocks(document["blocks"], "message") if "blocks" in document else []),
        *(judge_attachments(document["attachments"]) if "attachments" in document else []),
    ]


def _shown(complaint: Complaint, name: str) -> Answer:
    """Pointers lead from the document that was sent (docs.slack.dev/reference/methods/blocks.validate)."""
    pointer = complaint.pointer if name == "message" else complaint.pointer.removeprefix(f"/{name}")
    return {"pointer": pointer, "code": "failed_constraint", "message": complaint.text}
