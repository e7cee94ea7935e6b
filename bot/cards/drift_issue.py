"""A drift episode as an issue: Markdown for GitHub, where nothing of what came from outside may steer anything."""

from collections.abc import Sequence

from bot.cards.inert import inert_markdown
from pipelines.drift.episodes import Episode, Happened

MOMENT = "%Y-%m-%d %H:%M UTC"


def issue_title(episode: Episode) -> str:
    return f"Drift of {episode.model}: {episode.found.report.title}"


def issue_text(episode: Episode) -> str:
    """The analysis as it is now."""
    report = episode.found.report
    parts = [
        f"**{inert_markdown(report.hypothesis)}**",
        f"Since {episode.opened_at:{MOMENT}}, seen {episode.seen} times, last at {episode.found.at:{MOMENT}}; "
        f"version {episode.found.version}.",
        _listed("Why", report.why), _listed("Affected", report.affected), _listed("Worst where", report.segments),
        _listed("Performance", report.baselines),
        f"### Recommended\n{inert_markdown(report.recommendation)}",
        _listed("What would change this", report.would_change), _listed("Notes", report.notes),
        "It is judged by statistics and policy; no language model took part. It is closed by itself when it is gone.",
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def issue_comment(episode: Episode, line: Happened) -> str:
    if line.what == "gone":
        return gone_text(episode)
    return f"{line.at:{MOMENT}}: {inert_markdown(line.text)}"


def gone_text(episode: Episode) -> str:
    since = episode.quiet_since or episode.looked_at
    return f"Gone since {since:{MOMENT}}; it was seen {episode.seen} times since {episode.opened_at:{MOMENT}}."


def _listed(heading: str, told: Sequence[str]) -> str:
    return "\n".join([f"### {heading}", *(f"- {inert_markdown(line)}" for line in told)]) if told else ""
