"""The App Home tab."""

from collections.abc import Sequence

from bot.cards.approvals import approval_blocks
from bot.cards.blocks import Block, Card, context, divider, escape, header, line_chart, moment, section
from bot.cards.drawing import draw
from bot.cards.metrics import metric_name, number
from bot.cards.models import model_blocks
from bot.cards.retrain import headline
from handlers.home import HomePage
from pipelines.drift.trend import DriftTrend, Look, thinned
from pipelines.retrain.overview import LastRun

BARS = "▁▂▃▄▅▆▇█"
# Bias-corrected PSI from which a bar is full: far beyond what anybody retrains at.
FULL_BAR = 0.5
MOST_BARS, MOST_TRENDS = 20, 10
# Slack draws at most two charts on a surface.
MOST_CHARTS = 2
MARKS = {
    None: ":white_check_mark:",
    "P2": ":large_yellow_circle:",
    "P1": ":large_orange_diamond:",
    "P0": ":rotating_light:",
}


@draw.register
def _home_page(page: HomePage) -> Card:
    """At most 100 blocks; /approvals, /models and /drift show what does not fit."""
    blocks: list[Block] = [header("Open approvals")]
    blocks += approval_blocks(page.approvals) or [context("Nothing waits for approval.")]
    blocks += [divider(), header("Models"), *model_blocks(page.home.models)]
    blocks += _drift(page.trends) if page.trends else []
    blocks += [divider(), header("Last runs")]
    blocks += [_run(run) for run in page.home.runs] or [context("None yet. Type `/retrain MODEL` in a channel.")]
    return Card("Shipmate", tuple(blocks[:100]))


def _run(run: LastRun) -> Block:
    when = f"\n{moment(run.retrain.finished_at)}" if run.retrain.finished_at else ""
    link = f"  <{run.link}|card>" if run.link else ""
    return section(f"{headline(run.retrain)}{link}{when}")


def _drift(trends: Sequence[DriftTrend]) -> list[Block]:
    """A line a model, which says all where charts are not known, and charts of those that drifted most."""
    blocks = [divider(), header("Drift"), section("\n".join(_trend(trend) for trend in trends[:MOST_TRENDS]))]
    blocks += [chart for trend in trends if (chart := _chart(trend)) is not None][:MOST_CHARTS]
    more = f"and {len(trends) - MOST_TRENDS} more · " if len(trends) > MOST_TRENDS else ""
    return [*blocks, context(f"{more}The largest PSI of a feature at each look · `/drift MODEL` tells more")]


def _trend(trend: DriftTrend) -> str:
    last = trend.looks[-1]
    told = [f"{MARKS[last.urgency]} *{escape(trend.model)}* version {escape(last.version)}: {last.kind}"]
    if last.psi is not None:
        worst = f" ({escape(last.worst)})" if last.worst else ""
        told.append(f"{_bars(trend.looks)} PSI {number(last.psi)}{worst}")
    if last.performance is not None:
        told.append(f"{metric_name(last.metric)} {number(last.performance)}")
    return " · ".join([*told, moment(last.at)])


def _bars(looks: Sequence[Look]) -> str:
    shown = thinned([look for look in looks if look.psi is not None], MOST_BARS)
    return "".join(BARS[min(len(BARS) - 1, int((look.psi or 0.0) / FULL_BAR * len(BARS)))] for look in shown)


def _chart(trend: DriftTrend) -> Block | None:
    looks = thinned([look for look in trend.looks if look.psi is not None], MOST_BARS)
    labels = [f"{look.at:%m-%d %H:%M}" for look in looks]
    if len(looks) < 2 or len(set(labels)) < len(labels):
        return None
    return line_chart(f"{trend.model}: drift", labels, [("largest PSI", [look.psi or 0.0 for look in looks])], "PSI")
