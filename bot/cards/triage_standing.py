"""What a report cannot say of itself: what was seen before it, whom it is for, and what became of it."""

from collections.abc import Iterator

from bot.cards.inert import inert_line
from pipelines.triage.history import Passed, Reported, Sightings

NAME = 80


def sign(told: Reported) -> str:
    if told.passed:
        return ":white_check_mark:"
    return ":rotating_light:" if told.severity == "critical" else ":x:"


def kind(told: Reported) -> str:
    return f"flaky ({told.triaged.report.kind})" if told.flaky else told.triaged.report.kind


def standing(told: Reported) -> Iterator[str]:
    """Lines of mrkdwn; none for a report of something new that nobody has touched yet."""
    if told.mention.isalnum():
        yield f"<!subteam^{told.mention}>" if told.mention.startswith("S") else f"<@{told.mention}>"
    if said := seen(told.seen):
        yield inert_line(said.replace("`", "ˋ"), limit=400)
    if told.passed:
        yield f":white_check_mark: {passed(told.passed)}"
    if told.repeats:
        yield f":repeat: and {runs(told.repeats, 'more ')} with the same failure"


def seen(before: Sightings) -> str:
    """Plain text; empty for what was never seen before."""
    if not before.first_number:
        return ""
    times = {0: "before, but not this week", 1: "once this week"}.get(before.week, f"{before.week:,} times this week")
    flaky = " It went away without a change before, so it is flaky." if before.flaky else ""
    return f"Seen {times}, first in run {before.first_number} of {before.first_workflow[:NAME]}.{flaky}"


def passed(after: Passed) -> str:
    """Plain text."""
    if not after.unchanged:
        return f"Green again in run {after.number}."
    attempt = f"attempt {after.attempt}" if after.attempt > 1 else f"run {after.number}"
    return f"Passed on {attempt} without a change: flaky."


def runs(count: int, more: str = "") -> str:
    return f"{count:,} {more}run{'' if count == 1 else 's'}"
