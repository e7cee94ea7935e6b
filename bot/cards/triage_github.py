"""How a failed run looks on GitHub: Markdown, in which nothing that a run said mentions, links or formats anything."""

import re
from collections.abc import Iterator, Sequence

from bot.cards.inert import JOINER, inert_markdown, visible
from bot.cards.triage_standing import kind, passed, runs, seen
from pipelines.reports import MOST_CAUSES, NOTHING_WRONG, Cause, Evidence
from pipelines.triage.history import Passed, Reported
from pipelines.triage.speaking import IssueText

NAME, CAUSE_TEXT, FIX_STEPS, FIX_STEP, CITED_LINES, LINE = 80, 400, 6, 300, 12, 400
MOST_RUNS, MOST_WORKFLOWS = 10, 20
PATCH = 6_000
# Every character that Markdown may take for a mark; as entities they are themselves and nothing else.
_MARKS = re.compile(r"[\\`*_{}\[\]()#+!|~>&$-]")
_ADDRESS = re.compile(r"https?://[\w.:/%?=&#~-]+", re.ASCII)
_ISSUE = re.compile(r"\bGH-(?=\d)", re.IGNORECASE)


class GithubMarkdown:
    """Keeps GithubTexts."""

    def comment(self, reports: Sequence[Reported]) -> str:
        open_ones = [one for one in reports if not one.passed]
        done = [one for one in reports if one.passed]
        shown = "\n\n".join("\n".join(_report(one)) for one in open_ones[:MOST_WORKFLOWS])
        went_well = [f":white_check_mark: {_ended(one)}" for one in done[:MOST_WORKFLOWS]]
        head = [] if open_ones else ["### Green again"]
        return "\n\n".join([*head, *([shown] if shown else []), *went_well, _small(open_ones or done)])

    def issue(self, reports: Sequence[Reported]) -> IssueText:
        newest = reports[-1]
        facts, report = newest.triaged.facts, newest.triaged.report
        first = report.causes[0].text if report.wrong else "no cause found"
        title = _plain(f"{facts.workflow} fails on {facts.branch}: {first}", 200)
        told = [_link(one) for one in reports[-MOST_RUNS:][::-1]]
        more = f" and {len(reports) - len(told):,} earlier" if len(reports) > len(told) else ""
        body = [
            *_report(newest),
            "",
            f"**Failed in {runs(len(reports))}:** {', '.join(told)}{more}",
            "",
            _small(reports),
        ]
        return IssueText(title, "\n".join(body))

    def closing(self, after: Passed) -> str:
        number = f"[run {after.number}]({after.url})" if _ADDRESS.fullmatch(after.url) else f"run {after.number}"
        why = " without a change, so it is flaky" if after.unchanged else ""
        return f"Green again in {number}{why}."


def _report(told: Reported) -> Iterator[str]:
    facts, report = told.triaged.facts, told.triaged.report
    yield f"### {_said(facts.workflow, NAME)} failed on {_code(facts.branch)}"
    yield ""
    yield f"**{kind(told)}** · severity {told.severity} · {_link(told)} · {_code(facts.sha[:7])}"
    if before := seen(told.seen):
        yield ""
        yield _said(before, 400)
    if not report.wrong:
        yield ""
        yield f"{NOTHING_WRONG} The run failed, but no line of its log that was read shows why."
        yield from (f"- {_code(job.name)}, step {_code(job.step)}" for job in facts.jobs[:FIX_STEPS])
    for number, cause in enumerate(report.causes[:MOST_CAUSES], 1):
        yield ""
        yield from _cause(number, cause)
    if report.fix:
        yield ""
        yield "**Fix**"
        yield ""
        yield from (f"{number}. {_said(step, FIX_STEP)}" for number, step in enumerate(report.fix[:FIX_STEPS], 1))
    if report.patch:
        yield from [
            "",
            "**Possible patch**, to be read before it is used",
            "",
            *_fence(report.patch[:PATCH].split("\n"), "diff"),
        ]


def _cause(number: int, cause: Cause) -> Iterator[str]:
    yield f"**{number}. {_said(cause.text, CAUSE_TEXT)}** ({round(cause.confidence * 100)} % sure)"
    for source in dict.fromkeys(one.source for one in cause.evidence[:CITED_LINES]):
        yield ""
        yield _code(source)
        yield ""
        yield from _fence([_row(one) for one in cause.evidence[:CITED_LINES] if one.source == source], "text")


def _row(one: Evidence) -> str:
    return f"{one.number:>6} | {one.text[:LINE]}"


def _ended(told: Reported) -> str:
    after = told.passed
    return f"{_said(told.triaged.facts.workflow, NAME)}: {passed(after)}" if after else ""


def _link(told: Reported) -> str:
    facts = told.triaged.facts
    attempt = f", attempt {facts.attempt}" if facts.attempt > 1 else ""
    name = f"run {facts.number}{attempt}" if facts.number else "the check"
    return f"[{name}]({facts.url})" if _ADDRESS.fullmatch(facts.url) else name


def _small(reports: Sequence[Reported]) -> str:
    worded = any(one.triaged.report.source != "offline" for one in reports)
    how = "worded by a language model, every line checked against the log" if worded else "from the log's own words"
    return f"<sub>Shipmate wrote this, {how}. It edits this text on later runs and changes no code.</sub>"


def _fence(lines: Sequence[str], language: str) -> list[str]:
    """Nothing in it can end the fence: it has no line that begins with a mark of ours."""
    return [f"```{language}", *(visible(line).replace("`", "ˋ") for line in lines), "```"]


def _code(text: str) -> str:
    return f"`{_plain(text, NAME).replace('`', 'ˋ') or '–'}`"


def _plain(text: str, limit: int) -> str:
    """One line, in which nobody is mentioned: titles are no Markdown, and neither is code."""
    shown = " ".join(visible(text).split()).replace("@", f"@{JOINER}")
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _said(text: str, limit: int) -> str:
    """One line of what others wrote, as nothing but letters."""
    shown = inert_markdown(" ".join(text.split()), limit=limit)
    shown = _ISSUE.sub(lambda found: found[0] + JOINER, shown)
    return _MARKS.sub(lambda found: f"&#{ord(found[0])};", shown).replace(f"<{JOINER}", "&lt;")
