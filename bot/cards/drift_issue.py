"""A drift episode as an issue: Markdown for GitHub, where nothing of what came from outside may steer anything."""

from collections.abc import Sequence

from bot.cards.blocks import cut
from bot.cards.inert import inert_markdown
from bot.cards.metrics import metric_name, number
from pipelines.drift.background import VersionRecord
from pipelines.drift.episodes import Episode, Happened
from pipelines.drift.facts import in_order
from pipelines.drift.values import ColumnWeight

MOMENT = "%Y-%m-%d %H:%M UTC"
MOST_VERSIONS, MOST_METRICS, LONGEST_CELL = 5, 6, 80


def issue_title(episode: Episode) -> str:
    return f"Drift of {episode.model}: {episode.found.report.title}"


def issue_text(episode: Episode, versions: Sequence[VersionRecord] = ()) -> str:
    """The analysis as it is now, with how good each of `versions` was at its training and on what it served lately."""
    report = episode.found.report
    parts = [
        f"**{inert_markdown(report.hypothesis)}**",
        f"{_since(episode)}, seen {episode.seen} times, last at {episode.found.at:{MOMENT}}; "
        f"version {episode.found.version}.",
        _listed("Why", report.why), _listed("Affected", report.affected), _listed("Worst where", report.segments),
        _listed("Performance", report.baselines), _table("Metrics by version", _metrics(versions)),
        _table("What the model goes by", _weights(episode.found.columns)),
        f"### Recommended\n{inert_markdown(report.recommendation)}",
        _listed("What would change this", report.would_change), _listed("Notes", report.notes),
        "It is judged by statistics and policy; no language model took part. It is closed by itself when it is gone.",
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def _since(episode: Episode) -> str:
    onset = episode.found.onset
    noticed = f"oticed at {episode.opened_at:{MOMENT}}"
    return f"Since about {onset.at:{MOMENT}}, n{noticed}" if onset is not None else f"N{noticed}"


def issue_comment(episode: Episode, line: Happened) -> str:
    if line.what == "gone":
        return gone_text(episode)
    return f"{line.at:{MOMENT}}: {inert_markdown(line.text)}"


def gone_text(episode: Episode) -> str:
    since = episode.quiet_since or episode.looked_at
    return f"Gone since {since:{MOMENT}}; it was seen {episode.seen} times since {episode.opened_at:{MOMENT}}."


def _metrics(versions: Sequence[VersionRecord]) -> list[list[str]]:
    shown = versions[:MOST_VERSIONS]
    names = list(dict.fromkeys(name for one in shown for name in in_order(one.trained)))[:MOST_METRICS]
    rows = [["Version", "Measured on", *(metric_name(name) for name in names)]] if names else []
    for one in shown if names else ():
        title = f"{one.version} {' '.join(one.aliases)}".strip()
        for where, metrics in (("its own test rows", one.trained), (f"{one.labelled:,} rows served", one.lately)):
            if metrics:
                rows.append([title, where, *(number(metrics[name]) if name in metrics else "" for name in names)])
    return rows


def _weights(columns: Sequence[ColumnWeight]) -> list[list[str]]:
    rows = [
        [one.name, f"{one.importance:.0%}", f"{one.psi:.3f}", "yes" if one.drifted else "no"] for one in columns
    ]  # fmt: skip
    return [["Column", "Importance", "PSI", "Drifted"], *rows] if rows else []


def _table(heading: str, rows: Sequence[Sequence[str]]) -> str:
    """A table of GitHub's Markdown; its first row is the head."""
    if not rows:
        return ""
    head, *body = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join([f"### {heading}", head, f"|{' --- |' * len(rows[0])}", *body])


def _cell(text: str) -> str:
    """Whatever a column is called, it is one cell."""
    return inert_markdown(cut(" ".join(text.split()), LONGEST_CELL)).replace("|", "&#124;")


def _listed(heading: str, told: Sequence[str]) -> str:
    return "\n".join([f"### {heading}", *(f"- {inert_markdown(line)}" for line in told)]) if told else ""
