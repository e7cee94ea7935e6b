"""The digest: a headline in the channel, the details in its thread; and what /digest answers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.cards.blocks import Block, Card, context, escape, header, line_chart, moment, plain, section, tame
from bot.cards.drawing import draw
from bot.cards.metrics import change, metric_name, number
from pipelines.digest.schedule import Rhythm
from pipelines.digest.values import (
    Digest,
    DigestOrdered,
    DigestStatus,
    Figure,
    Line,
    NotPosted,
    Page,
    Section,
    Tone,
    Trend,
)

# Slack refuses more than 50 blocks or about 13,200 characters a message, 3,000 a section and two charts.
PAGE_BLOCKS, PAGE_CHARACTERS, PAGE_CHARTS = 40, 11_000, 2
SLICE_CHARACTERS = 2_600
LONGEST_URL = 600
MARKS: dict[Tone, str] = {
    "good": ":white_check_mark:", "bad": ":warning:", "waiting": ":raised_hand:", "plain": "•",
}  # fmt: skip


@draw.register
def _digest(digest: Digest) -> Card:
    if digest.eventful:
        opening = [section(escape(digest.sentence))] if digest.written_by else []
        told = [section(f"*{escape(one.title)}*  {escape(one.summary)}") for one in digest.sections]
        blocks = [header("Digest"), *opening, *told]
    else:
        calm = " ".join(f"{escape(one.title)}: {escape(one.summary)}." for one in digest.sections)
        blocks = [section(f":crescent_moon: {escape(digest.sentence)} {calm}".rstrip())]
    return Card(f"Digest: {plain(escape(digest.sentence))}", (*blocks, context(*_about(digest))))


def _about(digest: Digest) -> Iterator[str]:
    order = digest.order
    yield f"Since {moment(order.since)}"
    if order.missed and order.last_missed:
        last = moment(order.last_missed)
        which = (
            f"The digest of {last} was" if order.missed == 1 else f"{order.missed} digests, the last of {last}, were"
        )
        yield f":information_source: {which} missed: I was not running, or Slack was away. It is all in here."
    if order.next_at:
        yield f"Next {moment(order.next_at)}"
    if digest.written_by:
        yield f"First sentence by {escape(digest.written_by)}; the rest is counted"


def pages(digest: Digest) -> tuple[Page, ...]:
    """The details, laid out over as few messages as Slack's limits allow; none on a day without news."""
    if not digest.eventful:
        return ()
    found: list[list[Section]] = []
    room = (0, 0, 0)
    for part in (part for one in digest.sections if one.lines or one.trends for part in _slices(one)):
        blocks = _blocks(part)
        needs = (len(blocks), sum(len(block.get("text", {}).get("text", "")) for block in blocks), len(part.trends))
        if not found or any(need > left for need, left in zip(needs, room, strict=True)):
            found.append([])
            room = (PAGE_BLOCKS, PAGE_CHARACTERS, PAGE_CHARTS)
        found[-1].append(part)
        room = (room[0] - needs[0], room[1] - needs[1], room[2] - needs[2])
    return tuple(Page(tuple(parts)) for parts in found)


def _slices(one: Section) -> Iterator[Section]:
    """The section cut so that each part's lines fit into one block; charts and what was left out come last."""
    lines: list[Line] = []
    used = 0
    for line in one.lines:
        length = len(_line(line)) + 1
        if lines and used + length > SLICE_CHARACTERS:
            yield replace(one, lines=tuple(lines), trends=(), left_out=0)
            lines, used = [], 0
        lines.append(line)
        used += length
    yield replace(one, lines=tuple(lines), trends=one.trends[:PAGE_CHARTS])


@draw.register
def _page(page: Page) -> Card:
    titles = ", ".join(dict.fromkeys(part.title for part in page.sections))
    return Card(f"Details: {plain(escape(titles))}", tuple(block for part in page.sections for block in _blocks(part)))


def _blocks(part: Section) -> list[Block]:
    blocks = [section("\n".join([f"*{escape(part.title)}*", *map(_line, part.lines)]))]
    blocks += [_chart(trend) for trend in part.trends]
    if part.left_out:
        blocks.append(context(f"and {part.left_out:,} more"))
    return blocks


def _line(line: Line) -> str:
    told = [f"{MARKS[line.tone]} {escape(line.text)}", *map(_figure, line.figures)]
    if line.at:
        told.append(f"{escape(line.when)} {moment(line.at)}".strip())
    if line.url.startswith(("http://", "https://")) and len(line.url) <= LONGEST_URL:
        told.append(f"<{escape(line.url).replace('|', '%7C')}|open>")
    return " · ".join(told)


def _figure(figure: Figure) -> str:
    before = "" if figure.before is None else f" ({change(figure.metric, figure.value, figure.before)})"
    return f"{escape(metric_name(figure.metric))} {number(figure.value)}{before}"


def _chart(trend: Trend) -> Block:
    labels, values = [point.label for point in trend.points], [point.value for point in trend.points]
    name = metric_name(trend.metric)
    return line_chart(f"{trend.subject}: {name} by {trend.over}", labels, [(name, values)], name)


@draw.register
def _status(status: DigestStatus) -> Card:
    subscription = status.subscription
    if subscription is None:
        gone = "This channel gets no digest any more." if status.changed else "This channel gets no digest."
        text = f":no_bell: {gone} To get one: `/digest subscribe weekdays 09:00`"
        return Card(plain(gone), (section(text), context(_models(status.models))))
    text = f"{'From now on this' if status.changed else 'This'} channel gets a digest: {_when(subscription.rhythm)}."
    lines = [f":bell: {text}"]
    if status.next_at:
        lines.append(f"The next one comes {moment(status.next_at)}.")
    by = "from the catalogue" if subscription.from_catalogue else f"subscribed by {escape(subscription.by_name)}"
    quiet = "on a quiet day one line" if subscription.quiet == "say" else "on a quiet day nothing"
    return Card(plain(text), (section("\n".join(lines)), context(f"{by} · {quiet} · {_models(status.models)}")))


def _when(rhythm: Rhythm) -> str:
    return f"{rhythm.days_in_words} at {rhythm.clock} ({rhythm.zone})"


def _models(models: Sequence[str]) -> str:
    more = f" and {len(models) - 12} more" if len(models) > 12 else ""
    return f"about {', '.join(map(escape, models[:12]))}{more}" if models else "no models"


@draw.register
def _ordered(_value: DigestOrdered) -> Card:
    text = "The digest appears here in a moment."
    return Card(text, (section(f":newspaper: {text}"),))


@draw.register
def _not_posted(value: NotPosted) -> Card:
    text = f"The digest of {moment(value.slot)} in <#{escape(value.channel)}> was not posted. {tame(value.reason)}"
    return Card(plain(f"A digest was not posted. {value.reason}"), (section(f":warning: {text}"),))
