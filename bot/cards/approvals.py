"""/approvals."""

from bot.cards.blocks import Block, Card, actions, button, confirm, context, escape, moment, section
from bot.cards.drawing import draw
from bot.cards.promotion import gate_buttons
from bot.cards.triage_acts import rerun_buttons, rerun_jobs
from pipelines.people import Permission
from pipelines.retrain.promotion import Promotion
from pipelines.retrain.values import Retrain
from pipelines.triage.acts import Rerun
from pipelines.waiting import OpenApproval, OpenApprovals

# docs.slack.dev/reference/block-kit/blocks/actions-block
LONGEST_BLOCK_ID = 255


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
            f"{_exactly(entry.act)}expires {moment(approval.expires_at)}{votes}"
        )
    ]
    if may:
        blocks.append(_buttons(entry) | {"block_id": f"approval:{approval.id}"[:LONGEST_BLOCK_ID]})
    return blocks


def _exactly(act: object) -> str:
    return f"{rerun_jobs(act.plan)}\n" if isinstance(act, Rerun) else ""


def _buttons(entry: OpenApproval) -> Block:
    """Those of the act's own card."""
    match entry.act:
        case Promotion(plan=plan):
            return gate_buttons(plan)
        case Rerun():
            return rerun_buttons(entry.act)
        case Retrain(plan=plan):
            value = f"{entry.approval.id} {entry.approval.digest[:16]}"
            sure = confirm("Reject?", "Nothing is done. It can be ordered again at any time.", "Reject", "Back")
            return actions(
                button(f"Approve retraining {plan.model}", "retrain.approve", value, "primary"),
                button("Reject", "retrain.reject", value, "danger", sure),
            )
    raise TypeError(f"No buttons are known for {type(entry.act).__name__}")
