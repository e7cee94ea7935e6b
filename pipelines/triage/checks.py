"""A failed check of another app than Actions, gathered like a run: what the app says of it stands for its log."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from pipelines.errors import Refused
from pipelines.reports import Cause, Evidence, Report
from pipelines.triage.examining import RedactLines
from pipelines.triage.gathering import analysis_of
from pipelines.triage.heard import CheckSaid, Heard
from pipelines.triage.ports import CiRuns, CiSources
from pipelines.triage.values import (
    CiAnnotation,
    CiCommit,
    CiJob,
    CiLog,
    CiPullRequest,
    CiRun,
    Conclusion,
    Gathered,
    WhatChanged,
)

FIRST_LINES = 6
OWN_WORDS = 0.5  # an app says what it found, seldom why


@dataclass(frozen=True, slots=True)
class CheckGathering:
    runs: CiRuns
    sources: CiSources

    def gather(self, run: Heard, said: CheckSaid, folder: Path) -> Gathered:
        """Its annotations may be gone or not for us: that is noted. Raises Unavailable while GitHub is away."""
        unseen: list[str] = []
        job = CiJob(run.reference.run_id, run.workflow, _conclusion(run), run.url)
        check = _as_run(run, job)
        annotations: tuple[CiAnnotation, ...] = ()
        commit: CiCommit | None = None
        pull: CiPullRequest | None = None
        with _noted(unseen):
            annotations = tuple(self.runs.annotations(check, job))
        with _noted(unseen):
            commit = self.sources.commit(check.repository, check.sha)
        with _noted(unseen):
            pull = self.sources.pull_request(check)
        path = folder / f"check-{job.id}.log"
        path.write_text("\n".join(_lines(said, annotations)))
        log = CiLog(job.name, path, path.stat().st_size)
        found = Gathered(
            run=check, logs=(log,), annotations=annotations, commit=commit, pull_request=pull, workflow_file="",
            changed=WhatChanged(None), unseen=tuple(unseen),
        )  # fmt: skip
        return replace(found, analysis=analysis_of(found, failed=False))


def _as_run(run: Heard, job: CiJob) -> CiRun:
    said = run.check
    return CiRun(
        repository=run.reference.repository, id=run.reference.run_id, attempt=run.reference.attempt, number=0,
        workflow_id=0, workflow_name=run.workflow, workflow_path="", title=said.title if said else "",
        event="check_run", branch=run.branch, sha=run.sha, conclusion=_conclusion(run), actor=run.actor, url=run.url,
        started_at=run.at, jobs=(job,), pull_requests=run.pull_requests,
    )  # fmt: skip


def _conclusion(run: Heard) -> Conclusion:
    return cast("Conclusion", run.conclusion)


def _lines(said: CheckSaid, annotations: tuple[CiAnnotation, ...]) -> Iterator[str]:
    yield from (text for text in (said.title, said.summary, said.text) if text)
    for one in annotations:
        level = {"failure": "error", "warning": "warning"}.get(one.level, one.level)
        yield f"{one.path}:{one.start_line}: {level}: {' '.join(f'{one.title} {one.message}'.split())}"


@contextmanager
def _noted(unseen: list[str]) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        unseen.append(str(refused))


def in_its_own_words(report: Report, run: Heard, redact: RedactLines) -> Report:
    """Where the engine finds no cause in what an app says of its check, what it says first is the cause."""
    # The engine is loaded when it is asked for: the bot starts without it.
    from pipelines.evidence.classifying import kind_of_words
    from pipelines.evidence.fingerprint import fingerprint

    if report.wrong or run.check is None:
        return report
    rows = "\n".join(_lines(run.check, ())).splitlines()
    said = [(number, row.strip()) for number, row in enumerate(rows, 1) if row.strip()][:FIRST_LINES]
    if not said:
        return report
    texts = redact([row for _, row in said])
    evidence = tuple(Evidence(run.workflow, number, text) for (number, _), text in zip(said, texts, strict=True))
    kind = kind_of_words([run.workflow, *texts])
    cause = Cause(texts[0], evidence, OWN_WORDS, run.check.app)
    mark = fingerprint("", list(texts))
    return replace(report, summary=texts[0], kind=kind, causes=(cause,), confidence=OWN_WORDS, fingerprint=mark)
