"""Why a run failed: the report in the channel, the lines in its thread. All that the run said is shown inert."""

from collections.abc import Iterable, Iterator, Sequence

from bot.cards.blocks import Block, Card, actions, code, context, cut, escape, fields, link_button, plain, section
from bot.cards.drawing import draw
from bot.cards.inert import inert_line, visible
from bot.cards.triage_acts import act_buttons, acted
from bot.cards.triage_standing import kind, meaning, sign, standing
from pipelines.evidence.values import Block as LogBlock
from pipelines.evidence.values import Extract
from pipelines.reports import MOST_CAUSES, NOTHING_WRONG, Cause, Evidence, Report, Weighed
from pipelines.triage.findings import (
    AlreadyReported,
    Difference,
    GithubAway,
    NothingFailed,
    NotTriaged,
    RunFacts,
    StillTrying,
    Triaged,
    TriageDetails,
    TriageStarted,
)
from pipelines.triage.history import Reported
from pipelines.triage.values import NewLine

# Slack refuses more than about 13,200 characters a message and 3,000 a section: three causes, the fix and what changed
# fit together, each within its share.
CAUSE_TEXT, CITED_LINES, CITED_CHARACTERS = 400, 8, 1_300
FINDINGS, FINDING, FINDINGS_CHARACTERS = 6, 420, 1_900
FIX_STEPS, FIX_STEP = 6, 250
CHANGED_CHARACTERS, UNSEEN_CHARACTERS = 1_200, 600
LINE_CHARACTERS, CITED_LINE = 1_000, 400
PART_CHARACTERS, PARTS, PAGES = 2_600, 4, 4
NAME = 80
LONGEST_URL = 3_000


@draw.register
def _reported(told: Reported) -> Card:
    """The report and what became of it, in one message that is drawn anew when that changes."""
    value = told.triaged
    facts, report = value.facts, value.report
    headline = f"{_said(facts.workflow, NAME)} failed on {_code(facts.branch)}"
    blocks = [section(f"{sign(told)} *{headline}*"), fields(_about(told))]
    if since := "\n".join(standing(told)):
        blocks.append(section(since))
    blocks += [*(causes(report) or [section(_without_cause(facts))]), *advice(report)]
    blocks += [section(_changed(facts.difference)), *not_looked_at(value.unseen), context(*_origin(value))]
    links = []
    if facts.url.startswith(("http://", "https://")) and len(facts.url) <= LONGEST_URL:
        links.append(link_button("Open the run", facts.url, "open_run"))
    blocks += [*acted(told), actions(*links, *act_buttons(told))]
    cause = _said(report.summary, CAUSE_TEXT) if report.wrong else "no cause found"
    return Card(f"{plain(headline)}: {cause}", tuple(blocks))


def causes(report: Report) -> list[Block]:
    """Each with the lines that show it; none where nothing is wrong."""
    return [_cause(number, cause) for number, cause in enumerate(report.causes[:MOST_CAUSES], 1)]


def advice(report: Report) -> list[Block]:
    """What a scanner found, and what to do."""
    blocks = []
    if report.findings:
        blocks.append(section(_whole("\n".join(_findings(report.findings)), FINDINGS_CHARACTERS)))
    if report.fix:
        steps = [f"{number}. {_said(step, FIX_STEP)}" for number, step in enumerate(report.fix[:FIX_STEPS], 1)]
        blocks.append(section("\n".join([_heading(report), *steps])))
    return blocks


def not_looked_at(unseen: Sequence[str]) -> list[Block]:
    told = " · ".join(cut(one, 200) for one in unseen)
    return [context(f":see_no_evil: Not looked at: {_said(told, UNSEEN_CHARACTERS)}")] if told else []


def _about(told: Reported) -> Iterator[tuple[str, str]]:
    value = told.triaged
    facts = value.facts
    attempt = f", attempt {facts.attempt}" if facts.attempt > 1 else ""
    yield "Repository", _code(facts.repository)
    number = f"#{facts.number}{attempt}: " if facts.number else ""
    yield "Run" if facts.number else "Check", f"{number}{_said(facts.title, NAME)}" or "–"
    yield "Kind", kind(told)
    yield "Severity", told.severity
    yield "Commit", f"{_code(facts.sha[:7])} by {_said(facts.actor, NAME) or 'nobody known'}"
    if facts.jobs:
        yield "Failed", "\n".join(_job(job.name, job.step) for job in facts.jobs[:4])
    if facts.pull_request:
        yield "Pull request", f"#{facts.pull_request}"
    if value.report.fault != "unknown":
        yield "Likely to be changed", f"the {value.report.fault}"


def _job(name: str, step: str) -> str:
    return f"{_code(name)}{f', step {_code(step)}' if step else ''}"


def _cause(number: int, cause: Cause) -> Block:
    text = f"*{number}. {_said(cause.text, CAUSE_TEXT)}*  ({round(cause.confidence * 100)} % sure)"
    return section(f"{text}\n{''.join(_cited(cause.evidence[:CITED_LINES]))}")


def _heading(report: Report) -> str:
    return "*FIX: the top three actions*" if report.kind == "model validation" else "*FIX*"


def _findings(found: Sequence[Weighed]) -> Iterator[str]:
    """A line each: how bad, which rule, where; what it means and what to do. The code beside it is in the thread."""
    yield f"*{len(found)} finding{'s' if len(found) != 1 else ''} of {_said(found[0].finding.tool, NAME)}*"
    for one in found[:FINDINGS]:
        yield f"• *{one.finding.severity}* {_place(one)}: {_said(meaning(one), FINDING)}"
    if len(found) > FINDINGS:
        yield f"• and {len(found) - FINDINGS} more, in the thread"


def _place(one: Weighed) -> str:
    held = one.finding
    where = f" at {_code(f'{held.path}:{held.line}')}" if held.path else ""
    package = f" in {_code(f'{held.package} {held.version}'.strip())}" if held.package else ""
    return f"{_code(held.rule)}{where}{package}"


def _cited(evidence: Sequence[Evidence]) -> Iterator[str]:
    """The lines, numbered as in their log or file, under the name of the job that printed them or of the file."""
    lines = [one for one in evidence if one.number]
    groups = dict.fromkeys((one.source, one.note) for one in lines)
    for source, note in groups:
        held = [one for one in lines if (one.source, one.note) == (source, note)]
        rows = [_row(one.number, one.text, CITED_LINE) for one in held]
        name = f"{_code(f'{source}:{held[0].number}')} {_said(note, NAME)}" if note else _code(source)
        yield f"{name}\n{_fence(_fitting(rows, CITED_CHARACTERS // len(groups)))}\n"
    for one in evidence:
        if not one.number:
            yield f":twisted_rightwards_arrows: {_said(one.source, NAME)}: {_said(one.text, CITED_LINE)}\n"


def _without_cause(facts: RunFacts) -> str:
    if not facts.logs_read:
        return ":grey_question: *No cause found*: no log of this run could be read."
    return f":grey_question: *{NOTHING_WRONG}* The run failed, but no line of its log that I read shows why."


def _changed(difference: Difference) -> str:
    return _whole("\n".join(_changes(difference)), CHANGED_CHARACTERS)


def _changes(difference: Difference) -> Iterator[str]:
    if not difference.green_number:
        yield "*What changed*: unknown, since no earlier green run was found."
        return
    yield f"*What changed since run #{difference.green_number}, the last green one*"
    if difference.same_commit:
        yield "• The same commit passed then" + (
            "." if difference.versions else ", with the same tools: possibly flaky."
        )
    for commit in difference.commits:
        yield f"• {_code(commit.sha)} {_said(commit.title, 100)} ({_said(commit.author, 40)})"
    if difference.more_commits:
        yield f"• and {difference.more_commits:,} earlier commits"
    if difference.workflow_changed:
        yield "• The workflow file itself changed"
    for one in difference.versions:
        yield f"• {one.kind} {_code(one.name)}: {_code(one.before or 'none')} → {_code(one.after or 'none')}"
    if difference.files:
        more = f" and {difference.more_files:,} more" if difference.more_files else ""
        yield f"• Files: {', '.join(map(_code, difference.files))}{more}"
    if difference.new_lines:
        jobs = dict.fromkeys(line.job for line in difference.new_lines)
        numbers = {job: [str(line.number) for line in difference.new_lines if line.job == job] for job in jobs}
        several = len(jobs) > 1
        for job, told in numbers.items():
            where = f" of {_code(job)}" if several else ""
            yield f"• New in the log of the failing step{where}: lines {', '.join(told)}, in the thread"


def _origin(value: Triaged) -> Iterator[str]:
    yield from worded(value.report)
    yield f"Asked by <@{escape(value.order.asked_by)}>" if value.order.asked_by else "GitHub told of it"


def worded(report: Report) -> Iterator[str]:
    """Whose words a report's are, and what was left out of them."""
    if report.source == "offline":
        yield "Worded without a language model: known failures and the log's own words"
    else:
        yield f"Worded by {_said(report.source, NAME)}; every line was checked against the log"
    if report.notice:
        yield _said(report.notice, 200)
    if report.struck:
        yield f"{len(report.struck)} claimed without evidence, and left out"


def pages(value: Triaged) -> tuple[TriageDetails, ...]:
    """The extract, what is new in it and the patch, over as few messages of the thread as Slack's limits allow."""
    return details(value.report, value.extract, value.facts.difference.new_lines)


def details(report: Report, extract: Extract, new: Sequence[NewLine] = ()) -> tuple[TriageDetails, ...]:
    """The same of any report; `new` are lines that the last green run did not print."""
    rows = list(_extract_rows(extract.blocks, extract.sources))
    found = list(_pages("The lines that matter", rows))
    found += _pages("What was found, with the code that it is about", list(_finding_rows(report.findings)))
    found += _pages("New since the last green run", list(_new_rows(new)))
    patch = [_short(row, LINE_CHARACTERS) for row in report.patch.splitlines()]
    found += _pages("Possible patch, to be read before it is used", patch)
    return tuple(found)


def _extract_rows(blocks: Iterable[LogBlock], sources: Sequence[str]) -> Iterator[str]:
    before = ""
    for block in blocks:
        name = sources[block.lines[0].source] if block.lines else ""
        yield from [f"== {_short(name, NAME)}"] if name != before else ["…"]
        before = name
        yield from (_row(line.number, line.text) for line in block.lines)


def _new_rows(new: Sequence[NewLine]) -> Iterator[str]:
    several, before = len({line.job for line in new}) > 1, ""
    for line in new:
        yield from [f"== {_short(line.job, NAME)}"] if several and line.job != before else []
        before = line.job
        yield _row(line.number, line.text)


def _finding_rows(found: Sequence[Weighed]) -> Iterator[str]:
    for number, one in enumerate(found, 1):
        held = one.finding
        # Behind "in" it is plain that a rule such as aws-access-token is followed by a place and not by the secret.
        place = held.path and f" in {held.path}:{held.line} {one.beside[0].note if one.beside else ''}"
        package = held.package and f" in {held.package} {held.version}, repaired in {held.fixed or 'no version known'}"
        yield _short(f"{number}. {held.severity} {held.rule}{place}{package}".rstrip(), LINE_CHARACTERS)
        yield from (_row(line.number, line.text) for line in one.beside)
        yield _short(f"       {meaning(one)}", LINE_CHARACTERS)


def _pages(title: str, rows: Sequence[str]) -> Iterator[TriageDetails]:
    parts: list[list[str]] = []
    used = 0
    for row in rows:
        length = len(_preformatted(row)) + 1
        if not parts or used + length > PART_CHARACTERS:
            parts.append([])
            used = 0
        parts[-1].append(row)
        used += length
    shown = parts[: PARTS * PAGES]
    left_out = sum(map(len, parts[len(shown) :]))
    for start in range(0, len(shown), PARTS):
        texts = tuple("\n".join(part) for part in shown[start : start + PARTS])
        yield TriageDetails(title, texts, left_out if start + PARTS >= len(shown) else 0)


@draw.register
def _details(value: TriageDetails) -> Card:
    blocks = [section(f"*{escape(value.title)}*"), *(section(_fence(part.split("\n"))) for part in value.parts)]
    if value.left_out:
        blocks.append(context(f"and {value.left_out:,} more lines"))
    return Card(value.title, tuple(blocks))


def _row(number: int, text: str, limit: int = LINE_CHARACTERS) -> str:
    return f"{number:>6} | {_short(text, limit)}"


def _fitting(rows: Iterable[str], limit: int) -> list[str]:
    kept: list[str] = []
    left = limit
    for row in rows:
        left -= len(_preformatted(row)) + 1
        if left < 0 and kept:
            return [*kept, "…"]
        kept.append(row)
    return kept


def _fence(rows: Iterable[str]) -> str:
    return "```\n" + "\n".join(map(_preformatted, rows)) + "\n```"


def _preformatted(text: str) -> str:
    """Nothing in it can end the fence, mention anybody, or hide what it says."""
    return escape(visible(text)).replace("`", "ˋ")


def _code(text: str) -> str:
    return code(_short(" ".join(visible(text).split()), NAME) or "–")


def _said(text: str, limit: int) -> str:
    """One line of what others wrote; a backtick in it would begin code that swallows what follows."""
    return inert_line(text.replace("`", "ˋ"), limit=limit)


def _short(text: str, limit: int) -> str:
    """Cut so that it fits once it is escaped, which makes five characters of one."""
    length = 0
    for place, letter in enumerate(text):
        length += len(escape(letter))
        if length > limit:
            return text[:place] + "…"
    return text


def _whole(text: str, limit: int) -> str:
    """As many whole lines as fit, so that no mark of ours is broken."""
    rows = text.split("\n")
    while len("\n".join(rows)) > limit:
        rows.pop()
    return "\n".join(rows) if len("\n".join(rows)) == len(text) else "\n".join([*rows, "• …"])


@draw.register
def _started(value: TriageStarted) -> Card:
    text = f"I am looking at {_said(value.name, 200)}. The report appears in this channel."
    return Card(text, (section(f":mag: {text}"),))


@draw.register
def _still_trying(value: StillTrying) -> Card:
    text = (
        f"{_said(value.name, 200)} has to wait. {_said(value.reason, 400).rstrip('.')}. "
        f"I keep trying for {value.minutes} minutes; nothing is lost."
    )
    return Card(text, (section(f":hourglass: {text}"),))


@draw.register
def _nothing_failed(value: NothingFailed) -> Card:
    text = f"{NOTHING_WRONG} {_said(value.name, 200)} ended as {_said(value.conclusion, 40)}."
    return Card(text, (section(f":white_check_mark: {text}"),))


@draw.register
def _already(value: AlreadyReported) -> Card:
    name = _said(value.name, 200)
    where = f"<{escape(value.link).replace('|', '%7C')}|its report>" if value.link else "its report in this channel"
    return Card(f"{name} was looked at already.", (section(f":mag: {name} was looked at already: {where}."),))


@draw.register
def _not_triaged(value: NotTriaged) -> Card:
    text = f"I could not report on {_said(value.name, 200)}. {inert_line(value.reason, limit=800)}"
    return Card(text, (section(f":warning: {text}"),))


@draw.register
def _away(value: GithubAway) -> Card:
    headline = f"{_said(value.workflow, NAME)} failed on {_code(value.branch)}"
    ended = f"{_code(value.repository)} ended as {_said(value.conclusion, 40)}, and"
    reason = _said(value.reason, 300).rstrip(".")
    if value.final:
        text = f"{ended} I cannot report why: {reason}. Look at it on GitHub."
        return Card(f"{plain(headline)}, and I cannot report why", (section(f":x: *{headline}*\n{text}"),))
    text = (
        f"{ended} GitHub cannot be asked why: {reason}. I keep trying for a day; the report goes to the team it is for."
    )
    return Card(f"{plain(headline)}, and GitHub does not answer", (section(f":x: *{headline}*\n{text}"),))
