"""The App Home tab."""

from bot.cards.approvals import approval_blocks
from bot.cards.blocks import Block, Card, context, divider, header, moment, section
from bot.cards.drawing import draw
from bot.cards.models import model_blocks
from bot.cards.retrain import headline
from pipelines.retrain.overview import Home, LastRun


@draw.register
def _home(home: Home) -> Card:
    """At most 100 blocks; /approvals and /models show what does not fit."""
    blocks: list[Block] = [header("Open approvals")]
    blocks += approval_blocks(home.approvals) or [context("Nothing waits for approval.")]
    blocks += [divider(), header("Models"), *model_blocks(home.models)]
    blocks += [divider(), header("Last runs")]
    blocks += [_run(run) for run in home.runs] or [context("None yet. Type `/retrain MODEL` in a channel.")]
    return Card("Shipmate", tuple(blocks[:100]))


def _run(run: LastRun) -> Block:
    when = f"\n{moment(run.retrain.finished_at)}" if run.retrain.finished_at else ""
    link = f"  <{run.link}|card>" if run.link else ""
    return section(f"{headline(run.retrain)}{link}{when}")
