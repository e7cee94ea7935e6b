"""All about a failed run in one value: what it said, what it was of, and what is different from the last time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from pipelines.errors import Refused, Unavailable
from pipelines.triage.changes import MOST_NEW_LINES, is_lock_file, package_changes, packages_of_lock
from pipelines.triage.comparing import fresh_lines, of_each_job, other_tools
from pipelines.triage.examining import BUDGET_TOKENS
from pipelines.triage.naming import by_interest, guesses, lines_with, named_places
from pipelines.triage.ports import CiRuns, CiSources
from pipelines.triage.values import (
    GONE,
    CiAnnotation,
    CiFile,
    CiJob,
    CiLog,
    CiPullRequest,
    CiRun,
    Comparison,
    Gathered,
    NewLine,
    RunReference,
    VersionChange,
    WhatChanged,
)

if TYPE_CHECKING:  # the engine is loaded when it is asked for: the bot starts without it
    from pipelines.evidence.analysing import Analysis
    from pipelines.evidence.known_steps import KnownStep
    from pipelines.evidence.reading import Source

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")
MOST_JOBS = 10  # a matrix fails alike: the first ten tell
MOST_LOCKS = 5
MOST_COMPARED = 4  # failed jobs that are held against the last green run: each is one more log to fetch
MOST_FILES, MOST_LOOKS = 4, 8  # files that the log names, and how often we look where one may lie
MOST_CHANGED = 2  # files that were changed and are not named
LARGEST_FILE, MOST_ROWS = 200_000, 4_000  # characters and lines of a file that is read
SET_UP = "Set up job"  # GitHub's own first step, which runs nothing


class Gathering:
    """Looks at one failed run. The run itself and its logs are needed; what else cannot be seen is noted."""

    def __init__(self, runs: CiRuns, sources: CiSources) -> None:
        self._runs = runs
        self._sources = sources

    def gather(self, reference: RunReference, folder: Path) -> Gathered:
        """Logs are files in `folder`. Raises Refused or Unavailable where the run itself cannot be read."""
        run = self._runs.run(reference)
        unseen: list[str] = []
        jobs = run.failed_jobs[:MOST_JOBS]
        if len(run.failed_jobs) > MOST_JOBS:
            unseen.append(f"{len(run.failed_jobs) - MOST_JOBS} more failed jobs: the first {MOST_JOBS} were looked at.")
        refusals: list[Refused] = []
        logs = tuple(self._log(run, job, folder, refusals) for job in jobs)
        unseen += [f"The log of {log.job}: {log.reason}" for log in logs if log.path is None]
        annotations = [one for job in jobs for one in _tried(unseen, (), self._runs.annotations, run, job)]
        if refusals and not annotations and all(log.path is None for log in logs):
            raise refusals[0]  # there is nothing to report from, and it can be asked for again once it is allowed
        pull = _tried(unseen, None, self._sources.pull_request, run)
        default = _tried(unseen, "", self._sources.default_branch, run.repository)
        found = Gathered(
            run=run, logs=logs, annotations=tuple(annotations), pull_request=pull,
            commit=_tried(unseen, None, self._sources.commit, run.repository, run.sha),
            workflow_file=_tried(unseen, "", self._text, run, run.workflow_path, run.sha),
            changed=self._changed(run, pull, dict(zip(jobs, logs, strict=True)), folder, unseen, default),
            default_branch=default,
        )  # fmt: skip
        analysis = analysis_of(found, failed=True)
        files = self._files(found, analysis, unseen)
        return replace(found, analysis=analysis, files=files, unseen=tuple(unseen))

    def _log(self, run: CiRun, job: CiJob, folder: Path, refusals: list[Refused]) -> CiLog:
        """What may not be read is noted like what is not there: annotations, changes and files tell something too."""
        try:
            return self._runs.log(run, job, folder)
        except Refused as refused:
            refusals.append(refused)
            return CiLog(job.name, None, reason=str(refused))

    def _files(self, found: Gathered, analysis: "Analysis", unseen: list[str]) -> tuple[CiFile, ...]:
        """Files that the log names, those first that were changed; then lists of packages and the workflow itself."""
        changed = [file.path for file in found.changed.files]
        files: dict[str, CiFile] = {}
        looks = 0
        for named, numbers in by_interest(named_places(_telling_lines(found, analysis)), changed):
            for path in guesses(named, changed):
                if len(files) == MOST_FILES or looks == MOST_LOOKS or path in files:
                    break
                looks += 1
                if text := _tried(unseen, "", self._text, found.run, path, found.run.sha):
                    files[path] = CiFile(path, text, numbers)
                    break
        # What was changed may be the reason though no line names it.
        for path in [file.path for file in found.changed.files if file.status != "removed"][:MOST_CHANGED]:
            if path not in files and path != found.run.workflow_path and len(files) < MOST_FILES:
                files[path] = CiFile(path, _tried(unseen, "", self._text, found.run, path, found.run.sha))
        if found.workflow_file:
            steps = [job.failing_step.name for job in found.run.failed_jobs if job.failing_step]
            rows = lines_with(found.workflow_file, [step.removeprefix("Run ") for step in steps])
            files.setdefault(found.run.workflow_path, CiFile(found.run.workflow_path, found.workflow_file, rows))
        return tuple(one for one in files.values() if _readable(one, unseen))

    def _changed(
        self, run: CiRun, pull: CiPullRequest | None, logs: dict[CiJob, CiLog], folder: Path, unseen: list[str],
        default: str,
    ) -> WhatChanged:  # fmt: skip
        green = _tried(unseen, None, self._last_green, run, pull.base if pull else default)
        if green is None:
            unseen.append(f"What changed: no earlier run of {run.workflow_name} that went well was found.")
            return WhatChanged(None)
        nothing = Comparison(green.sha, run.sha, "")
        compared = nothing
        if green.sha != run.sha:
            compared = _tried(unseen, nothing, self._sources.compare, run.repository, green.sha, run.sha)
        found = WhatChanged(green, compared.commits, compared.files, url=compared.url, same_commit=green.sha == run.sha)
        workflow = [file.patch for file in compared.files if file.path == run.workflow_path]
        versions = self._locked(run, green, compared, unseen)
        found = replace(found, workflow_diff="".join(workflow), versions=tuple(versions))
        return self._with_logs(found, logs, folder, unseen)

    def _with_logs(self, found: WhatChanged, logs: dict[CiJob, CiLog], folder: Path, unseen: list[str]) -> WhatChanged:
        """Each failed job beside the job of the same name in the green run; they share what may be told."""
        if found.green is None:
            return found
        green_jobs = {job.name: job for job in found.green.jobs}
        beside = [(job, log, green_jobs[job.name]) for job, log in logs.items() if log.path and job.name in green_jobs]
        if len(beside) > MOST_COMPARED:
            unseen.append(f"Which lines are new in {len(beside) - MOST_COMPARED} more failed jobs.")
        fresh: list[NewLine] = []
        for job, log, other in beside[:MOST_COMPARED]:
            before = _tried(unseen, None, self._runs.log, found.green, other, folder)
            if before is None or before.path is None:
                unseen.append(
                    f"Which lines are new in {job.name}: the log of its last green run is not there any more."
                )
                continue
            found = replace(found, versions=found.versions + other_tools(found.versions, before, log))
            fresh += fresh_lines(job, before, log)
        return replace(found, new_lines=of_each_job(fresh, MOST_NEW_LINES))

    def _locked(self, run: CiRun, green: CiRun, compared: Comparison, unseen: list[str]) -> list[VersionChange]:
        """What changed in the lock files that the commits between touched."""
        found: list[VersionChange] = []
        locks = [file.path for file in compared.files if is_lock_file(file.path)]
        for path in locks[:MOST_LOCKS]:
            sides = [
                packages_of_lock(path, _tried(unseen, "", self._text, run, path, sha)) for sha in (green.sha, run.sha)
            ]
            if all(sides):
                found += package_changes(sides[0], sides[1])
        return found

    def _last_green(self, run: CiRun, base: str) -> CiRun | None:
        """On the run's own branch; a new branch never was green, so then on the one that it came from."""
        known = run.fork != GONE and self._runs.last_green(run, run.branch, run.fork or run.repository)
        if known:
            return known
        own = base == run.branch and not run.fork
        return self._runs.last_green(run, base, run.repository) if base and not own else None

    def _text(self, run: CiRun, path: str, sha: str) -> str:
        content = self._sources.file(run.repository, path, sha)
        return (content or b"").decode(errors="replace")


def analysis_of(found: Gathered, failed: bool) -> "Analysis":
    """What the logs of the failed jobs say, or the annotations where no log is left. `failed`: that is known."""
    from pipelines.evidence.analysing import analyse
    from pipelines.evidence.reading import Options

    logs: list[tuple[str, Source]] = [(log.job, log.path) for log in found.logs if log.path is not None]
    jobs = zip(found.logs, found.run.failed_jobs, strict=False)
    failing = [_known_step(job) for log, job in jobs if log.path is not None]
    if not logs and found.annotations:
        logs = [("annotations", "\n".join(map(_annotation, found.annotations)).encode())]
    return analyse(logs, Options(BUDGET_TOKENS, "ci", failed=failed), failing)


def _known_step(job: CiJob) -> "KnownStep | None":
    from pipelines.evidence.known_steps import KnownStep

    step = job.failing_step
    if step is None:
        return None
    before = [one for one in job.steps if one.number < step.number and one.started_at == step.started_at]
    headed = sum(one.conclusion != "skipped" and one.name != SET_UP for one in before)
    return KnownStep(step.name, step.started_at, step.completed_at, headed)


def _annotation(one: CiAnnotation) -> str:
    said = " ".join(f"{one.title} {one.message}".split())
    return f"{one.path}:{one.start_line}: {one.level}: {said}"


def _telling_lines(found: Gathered, analysis: "Analysis") -> Iterator[str]:
    """What scanners and causes cite, what only the failed run printed, then all that matters."""
    yield from (f"{one.path}:{one.line}" for one in analysis.findings if one.path and one.line)
    cited = {(source, number) for source, one in analysis.suspicions for number in one.rows}
    yield from (line.text for line in analysis.extract.lines if (line.source, line.number) in cited)
    yield from (line.text for line in found.changed.new_lines)
    yield from (line.text for line in analysis.extract.lines)
    yield from (f"{one.path}:{one.start_line}" for one in found.annotations if not one.path.startswith("."))


def _readable(file: CiFile, unseen: list[str]) -> bool:
    if len(file.text) <= LARGEST_FILE and file.text.count("\n") < MOST_ROWS and "\x00" not in file.text:
        return bool(file.text)
    unseen.append(f"{file.path}, which the log names: it is too large, or no text.")
    return False


def _tried(unseen: list[str], otherwise: U, ask: Callable[P, T], *given: P.args, **named: P.kwargs) -> T | U:
    """What `ask` answers; what it could not see is noted, once."""
    try:
        return ask(*given, **named)
    except (Refused, Unavailable) as error:
        if str(error) not in unseen:
            unseen.append(str(error))
        return otherwise
