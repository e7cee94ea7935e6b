"""Jobs, their steps, and their logs in the two forms in which GitHub hands them out."""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.sandbox.github.answers import Document

TIME = "%Y-%m-%dT%H:%M:%SZ"
ARTIFACT_DAYS = 90
MARK = "\ufeff"  # each log file of GitHub begins with one


@dataclass(frozen=True)
class Step:
    """`log` is what it printed, group markers included."""

    name: str
    conclusion: str = "success"
    log: str = ""
    seconds: int = 1


@dataclass(frozen=True)
class Job:
    """Without a `conclusion` it is that of its worst step. `annotations` are in the words of the checks API."""

    name: str
    steps: tuple[Step, ...]
    annotations: tuple[Document, ...] = ()
    conclusion: str = ""

    @property
    def outcome(self) -> str:
        failed = any(step.conclusion == "failure" for step in self.steps)
        return self.conclusion or ("failure" if failed else "success")


def described(job: Job, number: int, attempt: int, started_at: str) -> Document:
    """The document that stands for a job that has ended."""
    start, steps = datetime.strptime(started_at, TIME).replace(tzinfo=UTC), []
    for place, step in enumerate(job.steps, start=1):
        end = start + timedelta(seconds=step.seconds)
        steps.append(
            {
                "name": step.name, "status": "completed", "conclusion": step.conclusion, "number": place,
                "started_at": start.strftime(TIME), "completed_at": end.strftime(TIME),
            }
        )  # fmt: skip
        start = end
    return {
        "id": number, "name": job.name, "attempt": attempt, "status": "completed", "conclusion": job.outcome,
        "started_at": started_at, "completed_at": start.strftime(TIME), "steps": steps, "log": f"job {number}",
        "annotations": [dict(annotation) for annotation in job.annotations],
    }  # fmt: skip


def job_log(job: Job, started_at: str) -> bytes:
    """The plain log of one job: all steps, each line behind its time."""
    return (MARK + "".join(_stamped(job, started_at))).encode()


def run_archive(jobs: Sequence[Job], started_at: str) -> bytes:
    """The zip of a whole run: one file a job, and one folder a job with one file a step."""
    files: dict[str, bytes] = {}
    for place, job in enumerate(jobs):
        parts = _stamped(job, started_at)
        files[f"{place}_{job.name}.txt"] = (MARK + "".join(parts)).encode()
        for number, (step, part) in enumerate(zip(job.steps, parts, strict=True), start=1):
            files[f"{job.name}/{number}_{step.name.replace('/', '_')}.txt"] = (MARK + part).encode()
    return zipped(files)


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def from_log(job: Document, log: bytes) -> Job:
    """The job that a document stands for, to do it again: the whole log is given to the step that failed."""
    lines = [line.partition(" ")[2] for line in log.decode(errors="replace").lstrip(MARK).splitlines()]
    failed = [step for step in job["steps"] if step["conclusion"] == "failure"] or job["steps"][-1:]
    steps = [
        Step(step["name"], step["conclusion"], "\n".join(lines) if step in failed[:1] else "") for step in job["steps"]
    ]
    return Job(job["name"], tuple(steps), tuple(job["annotations"]), job["conclusion"])


def artifact(run: Document, number: int, name: str, archive: bytes) -> Document:
    created = datetime.strptime(run["created_at"], TIME).replace(tzinfo=UTC)
    return {
        "id": number, "run": run["id"], "name": name, "size": len(archive), "created_at": run["created_at"],
        "expires_at": (created + timedelta(days=ARTIFACT_DAYS)).strftime(TIME),
        "digest": f"sha256:{hashlib.sha256(archive).hexdigest()}",
    }  # fmt: skip


def _stamped(job: Job, started_at: str) -> list[str]:
    """What each step printed, line by line behind a time with seven places, as runners write it."""
    clock = datetime.strptime(started_at, TIME).replace(tzinfo=UTC)
    parts = []
    for step in job.steps:
        lines = step.log.splitlines()
        pace = timedelta(seconds=step.seconds) / max(1, len(lines))
        stamps = [clock + pace * place for place in range(len(lines))]
        parts.append(
            "".join(f"{stamp:%Y-%m-%dT%H:%M:%S.%f}0Z {line}\n" for stamp, line in zip(stamps, lines, strict=True))
        )
        clock += timedelta(seconds=step.seconds)
    return parts
