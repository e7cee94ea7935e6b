"""A look at a model in full: hypotheses with their facts, metrics by version, distributions, how it went."""

from collections.abc import Iterator, Sequence

from bot.cards.blocks import Block, Card, bar_chart, context, cut, escape, line_chart, section, table
from bot.cards.drawing import draw
from bot.cards.drift import URGENCY_MARKS, began, line, lines, span, tested
from bot.cards.inert import inert_line, visible
from bot.cards.metrics import metric_name, number
from pipelines.drift.background import Background, CoursePoint, MoreShapes, Shape
from pipelines.drift.explaining import ExplainedDrift
from pipelines.drift.facts import in_order
from pipelines.drift.report import weights
from pipelines.drift.values import ColumnWeight
from pipelines.reports import Cause, Report

BARS = "▁▂▃▄▅▆▇█"
CITED, CITED_TEXT, HYPOTHESIS = 4, 220, 500
VERSIONS, FOOTER, STRUCK = 5, 900, 160
BIN = 16


@draw.register
def _explained(value: ExplainedDrift) -> Card:
    drift, report = value.drift, value.report
    told = drift.report
    mark = URGENCY_MARKS[told.urgency] if told.urgency else ":white_check_mark:"
    head = f"{drift.model} version {drift.version}, last {span(drift.window)}: {told.title}"
    blocks = [section(f"{mark} *{escape(head)}*\n{line(report.summary)}"), *began(drift.onset)]
    blocks += [section(_hypothesis(place, cause)) for place, cause in enumerate(report.causes, 1)]
    blocks += [
        *lines("Affected", told.affected), *lines("Worst where", told.segments), section(_recommended(value)),
        *([tested(value.background.test)] if value.background.test else []),
        *_weights(weights(drift.verdict.features)),
        *lines("Why this urgency" if told.urgency else "Why", told.why[-2:]), *_versions(value.background),
        *charts(value.background), *lines("What would change it", told.would_change),
    ]  # fmt: skip
    blocks.append(context(*_footer(report, told.notes)))
    return Card(head, tuple(blocks))


def _hypothesis(place: int, cause: Cause) -> str:
    cited = "\n".join(f"> {one.number}. {inert_line(one.text, limit=CITED_TEXT)}" for one in cause.evidence[:CITED])
    more = f"\n> and {len(cause.evidence) - CITED} more" if len(cause.evidence) > CITED else ""
    return (
        f"*Hypothesis {place}* ({cause.confidence:.0%} sure): {inert_line(cause.text, limit=HYPOTHESIS)}\n{cited}{more}"
    )


def _recommended(value: ExplainedDrift) -> str:
    remedy = value.drift.verdict.remedy
    steps = "\n".join(f"{place}. {line(step)}" for place, step in enumerate(value.report.fix, 1))
    return f"*Recommended: {remedy}*\n{steps}"


def _versions(background: Background) -> list[Block]:
    """Metrics of each version at its training, and on labelled rows that were served lately."""
    shown = background.versions[:VERSIONS]
    names = list(dict.fromkeys(name for record in shown for name in in_order(record.trained)))[:6]
    if not shown or not names:
        return []
    rows = [["Version", "Rows", *(metric_name(name) for name in names)]]
    for record in shown:
        title = cut(f"{record.version} {' '.join(record.aliases)}".strip(), 60)
        rows.append([title, "its own test", *(_cell(record.trained, name) for name in names)])
        if record.lately:
            rows.append([title, f"{record.labelled:,} served", *(_cell(record.lately, name) for name in names)])
    told = "; ".join(f"{row[0]}, {row[1]}: {', '.join(_named(names, row[2:]))}" for row in rows[1:4])
    return [table(rows, right_from=2), context(f"By version: {escape(cut(told, FOOTER))}")]


def _weights(columns: Sequence[ColumnWeight]) -> list[Block]:
    """In lines: a message holds one table."""
    told = [
        f"{one.name}: {one.importance:.0%}, PSI {one.psi:.3f}{', drifted' if one.drifted else ''}" for one in columns
    ]
    return lines("What the model goes by", told)


def _cell(metrics: dict[str, float], name: str) -> str:
    return number(metrics[name]) if name in metrics else ""


def _named(names: Sequence[str], cells: Sequence[str]) -> Iterator[str]:
    return (f"{metric_name(name)} {cell}" for name, cell in zip(names, cells, strict=True) if cell)


def charts(background: Background) -> list[Block]:
    """The worst feature and the course, at most two charts; each with its text for whoever sees no charts."""
    return [*shape_blocks(background.shapes[:1]), *_course(background)]


def shape_blocks(shapes: Sequence[Shape]) -> list[Block]:
    return [block for shape in shapes for block in _shape(shape)]


@draw.register
def _more(value: MoreShapes) -> Card:
    return Card("Other columns then and now", tuple(shape_blocks(value.shapes[:2])))


def _shape(shape: Shape) -> list[Block]:
    name = _plain(shape.name, 30)
    names = _distinct([_plain(one, BIN) for one in shape.bins])
    title = f"{name}: then and now"
    top = max([*shape.before, *shape.now])
    then, now = (sparkline(side, 0.0, top) for side in (shape.before, shape.now))
    told = f"{name}: {shape.change}. Then {then} now {now}"
    series = [("Reference", shape.before), ("Now", shape.now)]
    return [bar_chart(title, names, series, "% of rows"), context(inert_line(told))]


def _plain(text: str, limit: int) -> str:
    """For the texts of charts, which know no marks."""
    return cut(" ".join(visible(text).replace("<", "‹").replace(">", "›").split()), limit)


def _distinct(names: Sequence[str]) -> list[str]:
    """Slack knows a bar by its name."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{cut(name, BIN)} ({seen[name]})")
    return found


def _course(background: Background) -> list[Block]:
    metric = [(point, point.metric) for point in background.course if point.metric is not None]
    psi = [(point, point.psi) for point in background.course if point.psi is not None]
    short, title, points = "PSI", "", metric if len(metric) > 1 else []
    if points:
        short = title = background.metric.capitalize()
    elif len(psi) > 1:
        title, points = f"PSI of {_plain(background.followed, 30)}", psi
    if not points:
        return []
    values = [round(value, 4) for _, value in points]
    told = f"{title} by window, oldest first: {sparkline(values)} ({number(values[0])} → {number(values[-1])})"
    labels = _distinct([_when(point) for point, _ in points])
    return [line_chart(f"{title} over time", labels, [(short, values)], short), context(inert_line(told))]


def _when(point: CoursePoint) -> str:
    return f"{point.until:%d %b %H:%M}"


def sparkline(values: Sequence[float], low: float | None = None, high: float | None = None) -> str:
    """The course of `values` in a line of text, between `low` and `high` or their own ends."""
    low = min(values, default=0.0) if low is None else low
    high = max(values, default=0.0) if high is None else high
    if high <= low:
        return BARS[0] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)


def _footer(report: Report, notes: Sequence[str]) -> Iterator[str]:
    words = (
        "Words by the statistics alone" if report.source == "offline" else f"Words by {escape(report.source)}, checked"
    )
    yield f"{words}; verdict, urgency and remedy by statistics and policy." + (
        f" {inert_line(report.notice)}" if report.notice else ""
    )
    if report.struck:
        shown = "; ".join(cut(one, STRUCK) for one in report.struck[:3])
        yield f":scissors: {len(report.struck)} struck, not to be found in the facts: {inert_line(shown, limit=FOOTER)}"
    if report.unseen:
        yield f":see_no_evil: Not looked at: {inert_line(' '.join(report.unseen), limit=FOOTER)}"
    if notes:
        yield inert_line(" ".join(notes), limit=FOOTER)
