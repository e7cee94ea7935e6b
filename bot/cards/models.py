"""/models."""

from datetime import datetime, timedelta

from bot.cards.blocks import Block, Card, actions, context, escape, section
from bot.cards.drawing import draw
from bot.cards.metrics import in_short
from bot.cards.promotion import back_to
from pipelines.retrain.overview import ModelsOverview
from pipelines.retrain.values import ModelStatus, ModelVersion


@draw.register
def _overview(overview: ModelsOverview) -> Card:
    if not overview.models:
        return Card("No models.", (section("The catalogue names no models yet. Add one to `shipmate.yaml`."),))
    names = ", ".join(status.spec.name for status in overview.models)
    return Card(f"Models: {names}", tuple(model_blocks(overview)))


def model_blocks(overview: ModelsOverview) -> list[Block]:
    """A section and a line of context each; cut where a message or a home tab would overflow."""
    shown = overview.models[:20]
    blocks = [block for status in shown for block in _model(status, overview.now)]
    if len(overview.models) > len(shown):
        blocks.append(context(f"and {len(overview.models) - len(shown)} more"))
    return blocks


def _model(status: ModelStatus, now: datetime) -> list[Block]:
    spec = status.spec
    lines = [f"*{escape(spec.name)}*  {escape(spec.description)}".rstrip()]
    if status.unavailable:
        lines.append(f":hourglass: {escape(status.unavailable)}")
    else:
        lines.append(f"Champion: {_version(status.champion, spec.gate.metric, now)}")
    if status.challenger and (not status.champion or status.challenger.version != status.champion.version):
        lines.append(f"Challenger: {_version(status.challenger, spec.gate.metric, now)}")
    running = f" · :hourglass_flowing_sand: {status.running.stage}" if status.running else ""
    way_back = _way_back(status)
    if way_back:
        lines.append(f"Before it: {_version(status.previous, spec.gate.metric, now)}")
    return [section("\n".join(lines)), *way_back, context(f"Owner {escape(spec.owner)} · {spec.problem}{running}")]


def _way_back(status: ModelStatus) -> list[Block]:
    champion, previous = status.champion, status.previous
    if champion is None or previous is None or champion.version == previous.version:
        return []
    return [actions(back_to(status.spec.name, champion.version, previous.version))]


def _version(version: ModelVersion | None, metric: str, now: datetime) -> str:
    if version is None:
        return "none yet"
    named = f"<{version.url}|version {version.version}>" if version.url else f"version {version.version}"
    return f"{named} · {in_short(version.metrics, metric)} · {age(now - version.created_at)} old"


def age(span: timedelta) -> str:
    """In the one unit that people would say."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "a moment"
