"""From all that was gathered to what a report is made of: the few lines that matter, and the facts around them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.triage.findings import ChangedCommit, Difference, FailedJob, RunFacts
from pipelines.triage.values import CiAnnotation, Gathered, WhatChanged

if TYPE_CHECKING:  # the engine is loaded when it is asked for: the bot starts without it
    from pipelines.evidence.analysing import Analysis
    from pipelines.evidence.reading import Source
    from pipelines.evidence.values import Block, Line

# Takes secrets out of lines that follow each other; as many lines come back.
RedactLines = Callable[[Sequence[str]], Sequence[str]]
BUDGET_TOKENS = 2_000
MOST_COMMITS, MOST_FILES, MOST_VERSIONS, MOST_NEW_LINES = 5, 8, 8, 5
SHORT_SHA = 7


def analysed(gathered: Gathered, redact: RedactLines) -> "Analysis":
    """What the logs of the failed jobs say; the annotations, where no log is left. Secrets are out from here on."""
    from pipelines.evidence.analysing import analyse
    from pipelines.evidence.reading import Options

    return redacted(analyse(_sources(gathered), Options(BUDGET_TOKENS, "ci")), redact)


def redacted(found: "Analysis", redact: RedactLines) -> "Analysis":
    """The same analysis without secrets; the numbers of lines stay."""
    extract = replace(found.extract, blocks=tuple(_redacted(block, redact) for block in found.extract.blocks))
    told = tuple((source, replace(one, text=" ".join(redact([one.text])))) for source, one in found.suspicions)
    return replace(found, extract=extract, suspicions=told)


def facts(gathered: Gathered, redact: RedactLines) -> RunFacts:
    """Bounded, whatever size the run has."""
    run = gathered.run
    steps = [(job.name, job.failing_step) for job in run.failed_jobs[: len(gathered.logs)]]
    return RunFacts(
        repository=run.repository, number=run.number, attempt=run.attempt, workflow=run.workflow_name,
        title=run.title, branch=run.branch, sha=run.sha, actor=run.actor, conclusion=run.conclusion, url=run.url,
        jobs=tuple(FailedJob(name, step.name if step else "") for name, step in steps),
        logs_read=sum(log.path is not None for log in gathered.logs),
        pull_request=gathered.pull_request.number if gathered.pull_request else 0,
        difference=_difference(gathered.changed, redact), unseen=tuple(_unseen(gathered)),
        workflow_path=run.workflow_path,
    )  # fmt: skip


def _sources(gathered: Gathered) -> "list[tuple[str, Source]]":
    logs: list[tuple[str, Source]] = [(log.job, log.path) for log in gathered.logs if log.path is not None]
    if logs or not gathered.annotations:
        return logs
    return [("annotations", "\n".join(map(_annotation, gathered.annotations)).encode())]


def _annotation(one: CiAnnotation) -> str:
    said = " ".join(f"{one.title} {one.message}".split())
    return f"{one.path}:{one.start_line}: {one.level}: {said}"


def _redacted(block: "Block", redact: RedactLines) -> "Block":
    texts = redact([line.text for line in block.lines])
    lines: tuple[Line, ...] = tuple(replace(line, text=text) for line, text in zip(block.lines, texts, strict=True))
    return replace(block, lines=lines)


def _unseen(gathered: Gathered) -> list[str]:
    told = [
        f"{log.left_out_bytes:,} bytes in the middle of the log of {log.job}, which is very large."
        for log in gathered.logs
        if log.left_out_bytes
    ]
    if not gathered.run.failed_jobs:
        told.append("No job of this run failed by itself: its workflow file may not be valid.")
    return [*gathered.unseen, *told]


def _difference(changed: WhatChanged, redact: RedactLines) -> Difference:
    if changed.green is None:
        return Difference()
    commits = [
        ChangedCommit(commit.sha[:SHORT_SHA], commit.message.partition("\n")[0][:200], commit.author)
        for commit in changed.commits[-MOST_COMMITS:]
    ]
    lines = changed.new_lines[:MOST_NEW_LINES]
    texts = redact([line.text for line in lines])
    return Difference(
        green_number=changed.green.number, commits=tuple(commits),
        more_commits=len(changed.commits) - len(commits),
        files=tuple(file.path for file in changed.files[:MOST_FILES]),
        more_files=max(0, len(changed.files) - MOST_FILES), workflow_changed=bool(changed.workflow_diff),
        versions=changed.versions[:MOST_VERSIONS],
        new_lines=tuple(replace(line, text=text) for line, text in zip(lines, texts, strict=True)),
        same_commit=changed.same_commit,
    )  # fmt: skip
