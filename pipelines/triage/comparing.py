"""The log of a failed job beside that of the same job when it went well."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipelines.triage.changes import lines_of_step, new_lines, templates, tools_of_log, version_changes
from pipelines.triage.values import CiJob, CiLog, NewLine, VersionChange

LINE_LIMIT = 4_000


def other_tools(known: Sequence[VersionChange], before: CiLog, after: CiLog) -> tuple[VersionChange, ...]:
    """What one log worked with and the other did not, save what is known already: jobs of a matrix work alike."""
    tools = version_changes(tools_of_log(_lines(before)), tools_of_log(_lines(after)))
    named = {(change.kind, change.name) for change in known}
    return tuple(change for change in tools if (change.kind, change.name) not in named)


def fresh_lines(job: CiJob, before: CiLog, after: CiLog) -> tuple[NewLine, ...]:
    """The lines of the failing step that the job did not print before."""
    printed = templates(_lines(before))
    fresh = new_lines(lines_of_step(_lines(after), job.failing_step), printed)
    if not fresh:  # the clocks of step and log differ: the whole log says more than nothing
        fresh = new_lines(enumerate(_lines(after), start=1), printed)
    return tuple(replace(line, job=job.name) for line in fresh)


def of_each_job(lines: Sequence[NewLine], most: int) -> tuple[NewLine, ...]:
    """At most so many lines in their order, of each job its first ones; what one does not need the others share."""
    jobs: dict[str, list[NewLine]] = {}
    for line in lines:
        jobs.setdefault(line.job, []).append(line)
    kept: dict[str, int] = {}
    for place, name in enumerate(sorted(jobs, key=lambda one: len(jobs[one]))):
        share = -(-(most - sum(kept.values())) // (len(jobs) - place))
        kept[name] = min(len(jobs[name]), share)
    return tuple(line for name, told in jobs.items() for line in told[: kept[name]])


def _lines(log: CiLog) -> Iterator[str]:
    """The lines of a log of any size; what follows a carriage return overwrites, so lines end at line feeds only."""
    if log.path is None:
        return
    with log.path.open("rb") as file:
        while line := file.readline(LINE_LIMIT):
            whole = line
            while len(line) == LINE_LIMIT and not line.endswith(b"\n"):
                line = file.readline(LINE_LIMIT)  # the rest of a very long line is passed over
            yield whole.decode(errors="replace").rstrip("\r\n")
