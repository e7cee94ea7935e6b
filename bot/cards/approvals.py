"""/approvals."""

from bot.cards.blocks import Block, Card, actions, button, confirm, context, escape, moment, section
from bot.cards.drawing import draw
from bot.cards.promotion import gate_buttons
from pipelines.people import Permission
from pipelines.retrain.overview import OpenApproval, OpenApprovals
from pipelines.retrain.promotion import Promotion


@draw.register
def _approvals(value: OpenApprovals) -> Card:
    if not value.approvals:
        text = "Nothing waits for approval."
        return Card(text, (section(f":white_check_mark: {text}"),))
    count = len(value.approvals)
    return Card(f"{count} open approval{'s' if count > 1 else ''}", tuple(approval_blocks(value)))


def approval_blocks(value: OpenApprovals) -> list[Block]:
    may = value.person.may(Permission.APPROVE)
    shown = value.approvals[:15]
    blocks = [block for entry in shown for block in _entry(entry, may)]
    if len(value.approvals) > len(shown):
        blocks.append(context(f"and {len(value.approvals) - len(shown)} more"))
    return blocks


def _entry(entry: OpenApproval, may: bool) -> list[Block]:
    approval = entry.approval
    link = f"  <{entry.link}|card>" if entry.link else ""
    votes = f" · {len(approval.votes)} of {approval.policy.needed} have approved" if approval.policy.needed > 1 else ""
    blocks = [
        section(
            f"*{escape(approval.summary)}*  asked by {escape(approval.requester_name)}{link}\n"
            f"expires {moment(approval.expires_at)}{votes}"
        )
    ]
    if may:
        blocks.append(_buttons(entry))
    return blocks


def _buttons(entry: OpenApproval) -> Block:
    if isinstance(entry.act, Promotion):
        return gate_buttons(entry.act.plan) | {"block_id": f"approval:{entry.approval.id}"}
    value = f"{entry.approval.id} {entry.approval.digest[:16]}"
    sure = confirm("Reject?", "Nothing is done. It can be ordered again at any time.", "Reject", "Back")
    block = actions(
        button(f"Approve retraining {entry.act.plan.model}", "retrain.approve", value, "primary"),
        button("Reject", "retrain.reject", value, "danger", sure),
    )
    return block | {"block_id": f"approval:{entry.approval.id}"}
