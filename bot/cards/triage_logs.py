"""What a log in Slack says: one reply in the thread of its message, the lines below it. All of it is shown inert."""

from collections.abc import Iterator

from bot.cards.blocks import Block, Card, actions, button, context, escape, plain, section
from bot.cards.drawing import draw
from bot.cards.inert import inert_name, inert_words
from bot.cards.triage import CAUSE_TEXT, advice, causes, details, not_looked_at, worded
from pipelines.reports import NOTHING_WRONG
from pipelines.triage.findings import TriageDetails
from pipelines.triage.log_orders import LogOrder, LogsBegun, LogsNotRead, LogsOffered, LogsReported, ReadingLogs

MOST_NAMES = 3


@draw.register
def _begun(value: LogsBegun) -> Card:
    text = f"I am reading {_names(value.order)}. The report appears in the thread of the message."
    return Card(plain(text), (section(f":mag: {text}"),))


@draw.register
def _reading(value: ReadingLogs) -> Card:
    text = f"Reading {_names(value.order)} …"
    return Card(plain(text), (section(f":mag: {text}"),))


@draw.register
def _not_read(value: LogsNotRead) -> Card:
    text = f"I could not read {_names(value.order)}. {inert_words(value.reason, 800)}"
    return Card(plain(text), (section(f":warning: {text}"),))


@draw.register
def _reported(value: LogsReported) -> Card:
    report, name = value.report, _names(value.order)
    if report.wrong:
        headline = f"{name}: {inert_words(report.summary, CAUSE_TEXT)}"
        blocks: list[Block] = [section(f":x: *What went wrong in* {name}  ({report.kind})"), *causes(report)]
    else:
        headline = f"{NOTHING_WRONG} ({name})"
        blocks = [section(f":white_check_mark: *{NOTHING_WRONG}* No line of {name} that I read shows a failure.")]
    blocks += [*advice(report), *not_looked_at((*value.unseen, *report.unseen)), context(*_origin(value))]
    return Card(plain(headline), tuple(blocks))


def _origin(value: LogsReported) -> Iterator[str]:
    count = value.extract.total_lines
    yield f"{count:,} line{'' if count == 1 else 's'} read"
    yield from worded(value.report)
    yield f"Asked by <@{escape(value.order.asked_by)}>"


def _names(order: LogOrder) -> str:
    names = [inert_name(file.name) for file in order.files[:MOST_NAMES]]
    more = len(order.files) - len(names)
    return ", ".join([*names, *([f"{more} more"] if more else [])]) or "what was pasted"


def log_pages(value: LogsReported) -> tuple[TriageDetails, ...]:
    """The extract and the patch; nothing where nothing is wrong."""
    return details(value.report, value.extract) if value.report.wrong else ()


@draw.register
def _offered(value: LogsOffered) -> Card:
    names = ", ".join(map(inert_name, value.names))
    ask = f"Shall I look for what went wrong in {names}?"
    buttons = [button("Analyse this log", "triage.analyse_files", value.value, "primary")]
    if value.knowledge:
        ask = f"Shall I look for what went wrong in {names}, or shall answers draw on it?"
        buttons.append(button("Add to knowledge", "ask.add_files", value.knowledge))
    return Card(plain(ask), (section(ask), actions(*buttons)))
