"""Promotions and ways back: what moves, by which figures, what serves it then, and how to go back."""

from collections.abc import Sequence

from bot.cards.blocks import (
    Block,
    Card,
    actions,
    button,
    code,
    confirm,
    context,
    cut,
    escape,
    moment,
    plain,
    section,
    table,
    tame,
)
from bot.cards.drawing import draw
from bot.cards.metrics import change, metric_name, number
from pipelines.approval import Approval, plan_digest
from pipelines.retrain.overview import PromotionSettled
from pipelines.retrain.promotion import (
    Compared,
    NotOffered,
    Promotion,
    PromotionEnded,
    PromotionOffered,
    PromotionPlan,
    PromotionStage,
    WayBackAsked,
)
from pipelines.retrain.promotion_desk import promotion_with

HEADLINES: dict[PromotionStage, str] = {
    "awaiting approval": ":raised_hand: *Back to version {version} of {model}?*  {who} asks",
    "moving": ":hourglass_flowing_sand: *Going back to version {version} of {model}*",
    "done": ":white_check_mark: *{model} is back at version {version}*",
    "rejected": ":x: *Back to version {version} of {model}* was rejected by {by}",
    "expired": ":alarm_clock: *Back to version {version} of {model}* expired without an answer",
    "withdrawn": ":leftwards_arrow_with_hook: *Back to version {version} of {model}* was withdrawn by {by}",
    "failed": ":warning: *Back to version {version} of {model}* did not succeed",
}
MOST_METRICS = 12
LONGEST_CELL, LONGEST_SENTENCE = 60, 600


@draw.register
def _promotion(promotion: Promotion) -> Card:
    lead = way_back_headline(promotion)
    blocks = [section(lead), *plan_blocks(promotion.plan)]
    if promotion.stage == "awaiting approval":
        blocks.append(gate_buttons(promotion.plan))
    if promotion.failure:
        blocks.append(section(tame(promotion.failure)))
    if back := back_button(promotion):
        blocks.append(actions(back))
    blocks.append(context(told_by(promotion), f"Asked by {escape(promotion.plan.requester_name)}"))
    return Card(plain(lead), tuple(blocks))


@draw.register
def _settled(settled: PromotionSettled) -> Card:
    card = draw(promotion_with(settled.promotion, settled.approval))
    if settled.approval.state != "open" or not settled.approval.votes:
        return card
    return Card(card.text, (*card.blocks, context(votes(settled.approval))))


@draw.register
def _offered(value: PromotionOffered) -> Card:
    plan = value.promotion.plan
    text = (
        f"Version {plan.version} of *{escape(plan.model)}* has passed the gate. It becomes the champion when somebody "
        "says yes on the card above."
    )
    return Card(plain(text), (section(f":raised_hand: {text}"),))


@draw.register
def _asked(value: WayBackAsked) -> Card:
    text = f"Looking at version {value.version} of *{escape(value.model)}*. The plan appears in a moment."
    return Card(plain(text), (section(f":mag: {text}"),))


@draw.register
def _not_offered(value: NotOffered) -> Card:
    text = f"*{escape(value.model)}* stays as it is. {tame(value.reason)}"
    return Card(plain(text), (section(f":no_entry_sign: {text}"),))


@draw.register
def _ended(value: PromotionEnded) -> Card:
    promotion = value.promotion
    text = way_back_headline(promotion)
    failure = f". {tame(promotion.failure)}" if promotion.failure else ""
    return Card(plain(text), (section(f"<@{promotion.plan.requester_id}> {text}{failure}"),))


def way_back_headline(promotion: Promotion) -> str:
    plan = promotion.plan
    return HEADLINES[promotion.stage].format(
        version=plan.version, model=escape(plan.model), who=escape(plan.requester_name),
        by=escape(promotion.settled_by),
    )  # fmt: skip


def plan_blocks(plan: PromotionPlan) -> list[Block]:
    """The exact plan, for the card of a run or of a way back."""
    champion = f"version {plan.champion_version}" if plan.champion_version else "no champion yet"
    moves = ", ".join(f"{code(move.alias)} to version {move.after}" for move in plan.moves)
    lines = [
        f"*Version {plan.version}* against *{champion}*. {_sentence(plan.verdict)}",
        f"*Moves:* {moves}.",
        f"*Serves it:* {_sentence(plan.serving)}",
        f"*Way back:* {_sentence(plan.way_back)}",
    ]
    rows = compared_rows(plan)
    return [section("\n".join(lines)), *([table(rows, right_from=2)] if len(rows) > 1 else [])]


def _sentence(text: str) -> str:
    return cut(tame(text), LONGEST_SENTENCE)


def compared_rows(plan: PromotionPlan) -> list[list[str]]:
    """A table: the deciding metric first, then the others, on each kind of rows."""
    champion = f"Version {plan.champion_version}" if plan.champion_version else "Champion"
    rows = [["Metric", "Rows", f"Version {plan.version}", champion, "Change"]]
    for compared in plan.compared:
        rows += [_row(metric, compared) for metric in _in_order(plan.metric, compared)]
    return rows


def _in_order(first: str, compared: Compared) -> Sequence[str]:
    names = dict.fromkeys([*compared.metrics, *compared.champion_metrics])
    return sorted(names, key=lambda name: name != first)[:MOST_METRICS]


def _row(metric: str, compared: Compared) -> list[str]:
    ours, theirs = compared.metrics.get(metric), compared.champion_metrics.get(metric)
    return [
        metric_name(metric), cut(compared.rows, LONGEST_CELL), number(ours) if ours is not None else "",
        number(theirs) if theirs is not None else "",
        change(metric, ours, theirs) if ours is not None and theirs is not None else "",
    ]  # fmt: skip


def gate_buttons(plan: PromotionPlan) -> Block:
    value = f"{plan.id} {plan_digest(plan)[:16]}"
    if plan.kind == "promotion":
        sure = confirm("Keep the champion?", "The new version stays registered as challenger.", "Keep it", "Look again")
        return actions(
            button(f"Promote version {plan.version}", "promotion.approve", value, "primary"),
            button("Keep the champion", "promotion.keep", value, "danger", sure),
        )
    sure = confirm("Reject?", "The champion stays what it is. It can be asked for again.", "Reject", "Look again")
    back = confirm("Withdraw this request?", "The champion stays what it is.", "Withdraw", "Look again")
    return actions(
        button(f"Go back to version {plan.version}", "promotion.approve", value, "primary"),
        button("Reject", "promotion.keep", value, "danger", sure),
        button("Withdraw", "promotion.withdraw", value, "", back),
    )


def back_button(promotion: Promotion) -> Block | None:
    plan = promotion.plan
    if promotion.stage != "done" or plan.champion_version is None:
        return None
    return back_to(plan.model, plan.version, plan.champion_version)


def back_to(model: str, champion: int, version: int) -> Block:
    """Asks for `version` in place of `champion`; a plan with an approval of its own follows."""
    return button(f"Back to version {version}", "promotion.back", f"{model} {champion} {version}")


def told_by(promotion: Promotion) -> str:
    if not promotion.settled_by or promotion.settled_at is None or promotion.stage not in ("moving", "done", "failed"):
        return ""
    return f"Approved by {escape(promotion.settled_by)}, {moment(promotion.settled_at, '{time}')}"


def votes(approval: Approval) -> str:
    names = ", ".join(escape(vote.person_name) for vote in approval.votes)
    missing = approval.policy.needed - len(approval.votes)
    return f"Approved by {names}; {missing} more needed."
