"""From all that was gathered to what a report is made of: the few lines that matter, and the facts around them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.triage.changes import added_lines
from pipelines.triage.comparing import of_each_job
from pipelines.triage.findings import ChangedCommit, Difference, FailedJob, RunFacts
from pipelines.triage.values import CiFile, Gathered, WhatChanged

if TYPE_CHECKING:  # the engine is loaded when it is asked for: the bot starts without it
    from pipelines.evidence.analysing import Analysis
    from pipelines.evidence.context import Change, Context, SourceFile
    from pipelines.evidence.values import Block, Line

# Takes secrets out of lines that follow each other; as many lines come back.
RedactLines = Callable[[Sequence[str]], Sequence[str]]
BUDGET_TOKENS = 2_000
MOST_FRESH, MOST_CHANGES = 40, 20
MOST_COMMITS, MOST_FILES, MOST_VERSIONS, MOST_NEW_LINES = 5, 8, 8, 5
SHORT_SHA = 7


def analysed(gathered: Gathered, redact: RedactLines) -> "Analysis":
    """What the logs say, with all that can be cited beside them. Secrets are out from here on."""
    from pipelines.evidence.analysing import analyse

    found = gathered.analysis or analyse([])
    return replace(redacted(found, redact), context=context_of(gathered, redact))


def redacted(found: "Analysis", redact: RedactLines, budget_tokens: int = BUDGET_TOKENS) -> "Analysis":
    """The same analysis without secrets, in the same budget; the numbers of lines stay."""
    from pipelines.evidence.fitting import fitted

    extract = replace(found.extract, blocks=tuple(_redacted(block, redact) for block in found.extract.blocks))
    if extract.blocks != found.extract.blocks:
        cited = {(source, number) for source, one in found.suspicions for number in one.rows}
        extract = fitted(extract, cited, budget_tokens)
    told = tuple((source, replace(one, text=" ".join(redact([one.text])))) for source, one in found.suspicions)
    scanned = tuple(replace(one, text=" ".join(redact([one.text]))) for one in found.findings)
    return replace(found, extract=extract, suspicions=told, findings=scanned)


def context_of(gathered: Gathered, redact: RedactLines) -> "Context":
    """Files, changes and new lines as they can be cited, bounded."""
    from pipelines.evidence.context import Context, FreshLine

    run, changed = gathered.run, gathered.changed
    lines = of_each_job(changed.new_lines, MOST_FRESH)
    texts = redact([line.text for line in lines])
    steps = [job.failing_step.name for job in run.failed_jobs if job.failing_step]
    return Context(
        files=tuple(_source_file(file, gathered, redact) for file in gathered.files),
        changes=tuple(_changes(changed, redact)),
        fresh=tuple(FreshLine(line.job, line.number, text) for line, text in zip(lines, texts, strict=True)),
        green=changed.green.number if changed.green else 0,
        places=tuple(redact([*steps, *(job.name for job in run.failed_jobs[:3]), run.workflow_name])),
    )  # fmt: skip


def _source_file(file: CiFile, gathered: Gathered, redact: RedactLines) -> "SourceFile":
    from pipelines.evidence.context import SourceFile

    rows = file.text.splitlines()
    shown = tuple(redact(rows))
    patch = next((one.patch for one in gathered.changed.files if one.path == file.path), "")
    added = tuple(number for number in added_lines(patch) if number <= len(rows))
    named = tuple(number for number in file.named if number <= len(rows)) or added[:4]
    hidden = tuple(number for number, (row, seen) in enumerate(zip(rows, shown, strict=True), 1) if row != seen)
    return SourceFile(file.path, gathered.run.sha[:SHORT_SHA], shown, named, added, hidden)


def _changes(changed: WhatChanged, redact: RedactLines) -> "Iterator[Change]":
    from pipelines.evidence.context import Change

    if changed.green is None:
        return
    for one in changed.versions[:MOST_CHANGES]:
        yield Change(one.kind, one.name, one.before, one.after)
    if changed.workflow_diff:
        yield Change("workflow", "the workflow file", text="the workflow file itself was changed")
    for file in changed.files[:MOST_CHANGES]:
        yield Change(
            "file", file.path, text=f"{file.path} was {file.status}: +{file.additions} -{file.deletions} lines"
        )
    for commit in changed.commits[-MOST_COMMITS:]:
        title = " ".join(redact([commit.message.partition("\n")[0][:200]]))
        yield Change(
            "commit", commit.sha[:SHORT_SHA], text=f"commit {commit.sha[:SHORT_SHA]} by {commit.author}: {title}"
        )


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
        workflow_path=run.workflow_path, fork=run.fork, on_default_branch=gathered.on_default_branch,
    )  # fmt: skip


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
    lines = of_each_job(changed.new_lines, MOST_NEW_LINES)
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
