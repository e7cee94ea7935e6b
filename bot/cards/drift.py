"""Drift: what was found, why, where it is worst, and what would change it; and the living message of an episode."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.cards.blocks import Block, Card, context, escape, moment, section
from bot.cards.drawing import draw
from bot.cards.inert import inert_line
from pipelines.drift.plans import NO, UNKNOWN, YES, Answer, RetrainingTest
from pipelines.drift.report import ModelDrift
from pipelines.drift.values import Onset

URGENCY_MARKS = {"P0": ":rotating_light:", "P1": ":large_orange_diamond:", "P2": ":large_yellow_circle:"}
TEST_MARKS: Mapping[Answer, str] = {
    YES: ":chart_with_upwards_trend:",
    NO: ":no_entry_sign:",
    UNKNOWN: ":grey_question:",
}
MOST_LINES = 6
LONGEST_LINE = 300
LONGEST_TEST = 400


@draw.register
def _drift(value: ModelDrift) -> Card:
    told = value.report
    mark = URGENCY_MARKS[told.urgency] if told.urgency else ":white_check_mark:"
    head = f"{value.model} version {value.version}, last {span(value.window)}: {told.title}"
    blocks = [
        section(f"{mark} *{escape(head)}*\n{line(told.hypothesis)}"),
        *lines("Why", told.why),
        *lines("Affected", told.affected),
        *lines("Worst where", told.segments),
        section(f"*Recommended*\n{line(told.recommendation)}"),
    ]
    footer = " ".join([*told.would_change, *told.notes])
    blocks += began(value.onset)
    return Card(head, tuple([*blocks, context(inert_line(footer))] if footer else blocks))


def began(onset: Onset | None) -> list[Block]:
    """Since when it drifts, and what tells."""
    if onset is None:
        return []
    by = "by the errors of single rows" if onset.exact else "by the hours of the records"
    return [context(f":stopwatch: Since about {moment(onset.at)}, {by}")]


def tested(test: RetrainingTest) -> Block:
    """Whether retraining would help; the sentence may hold names of columns and words of a refusal."""
    return section(f"{TEST_MARKS[test.answer]} *Will retraining help?* {inert_line(test.text, limit=LONGEST_TEST)}")


def lines(heading: str, told: Sequence[str]) -> list[Block]:
    """A section with a bullet a sentence; none where there is nothing."""
    if not told:
        return []
    shown = [f"• {line(sentence)}" for sentence in told[:MOST_LINES]]
    if len(told) > MOST_LINES:
        shown.append(f"and {len(told) - MOST_LINES} more")
    return [section("\n".join([f"*{heading}*", *shown]))]


def line(sentence: str) -> str:
    """A sentence about columns, whose names and values come from whoever sends records."""
    return inert_line(sentence, limit=LONGEST_LINE)


def span(window: timedelta) -> str:
    hours = int(window.total_seconds() // 3600)
    return f"{hours // 24} days" if hours > 24 and hours % 24 == 0 else f"{hours} hours" if hours > 1 else "hour"
