"""What a log in Slack says: one reply in the thread of its message, the lines below it. All of it is shown inert."""

from collections.abc import Iterator

from bot.cards.blocks import Block, Card, actions, button, context, cut, escape, plain, section
from bot.cards.drawing import draw
from bot.cards.triage import (
    CAUSE_TEXT,
    FINDINGS_CHARACTERS,
    FIX_STEP,
    FIX_STEPS,
    NAME,
    UNSEEN_CHARACTERS,
    _cause,
    _code,
    _findings,
    _heading,
    _said,
    _whole,
    details,
)
from pipelines.reports import MOST_CAUSES, NOTHING_WRONG
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
    text = f"I could not read {_names(value.order)}. {_said(value.reason, 800)}"
    return Card(plain(text), (section(f":warning: {text}"),))


@draw.register
def _reported(value: LogsReported) -> Card:
    report, name = value.report, _names(value.order)
    if report.wrong:
        headline = f"{name}: {_said(report.summary, CAUSE_TEXT)}"
        blocks: list[Block] = [section(f":x: *What went wrong in* {name}  ({report.kind})")]
        blocks += [_cause(number, cause) for number, cause in enumerate(report.causes[:MOST_CAUSES], 1)]
    else:
        headline = f"{NOTHING_WRONG} ({name})"
        blocks = [section(f":white_check_mark: *{NOTHING_WRONG}* No line of {name} that I read shows a failure.")]
    if report.findings:
        blocks.append(section(_whole("\n".join(_findings(report.findings)), FINDINGS_CHARACTERS)))
    if report.fix:
        steps = [f"{number}. {_said(step, FIX_STEP)}" for number, step in enumerate(report.fix[:FIX_STEPS], 1)]
        blocks.append(section("\n".join([_heading(report), *steps])))
    if unseen := (*value.unseen, *report.unseen):
        told = " · ".join(cut(one, 200) for one in unseen)
        blocks.append(context(f":see_no_evil: Not looked at: {_said(told, UNSEEN_CHARACTERS)}"))
    return Card(plain(headline), (*blocks, context(*_origin(value))))


def _origin(value: LogsReported) -> Iterator[str]:
    report, extract = value.report, value.extract
    yield f"{extract.total_lines:,} line{'' if extract.total_lines == 1 else 's'} read"
    if report.source == "offline":
        yield "Worded without a language model: known failures and the log's own words"
    else:
        yield f"Worded by {_said(report.source, NAME)}; every line was checked against the log"
    if report.notice:
        yield _said(report.notice, 200)
    yield f"Asked by <@{escape(value.order.asked_by)}>"


def _names(order: LogOrder) -> str:
    names = [_code(file.name) for file in order.files[:MOST_NAMES]]
    more = len(order.files) - len(names)
    return ", ".join([*names, *([f"{more} more"] if more else [])]) or "what was pasted"


def log_pages(value: LogsReported) -> tuple[TriageDetails, ...]:
    """The extract and the patch; nothing where nothing is wrong."""
    return details(value.report, value.extract) if value.report.wrong else ()


@draw.register
def _offered(value: LogsOffered) -> Card:
    names = ", ".join(map(_code, value.names))
    ask = f"Shall I look for what went wrong in {names}?"
    buttons = [button("Analyse this log", "triage.analyse_files", value.value, "primary")]
    if value.knowledge:
        ask = f"Shall I look for what went wrong in {names}, or shall answers draw on it?"
        buttons.append(button("Add to knowledge", "ask.add_files", value.knowledge))
    return Card(plain(ask), (section(ask), actions(*buttons)))
