"""The folder of a run: what the training process reads and leaves there. Files appear whole or not at all."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import fsspec

from pipelines.json_values import from_json, to_json
from pipelines.retrain.values import Progress, TrainingJob

JOB, PROGRESS, RESULT, ERROR, PROFILE = "job.json", "progress.json", "result.json", "error.json", "profile.json"


class Workdir:
    """A folder, or an fsspec URL such as s3://…: then work goes on in a local copy and everything is delivered."""

    def __init__(self, location: str | Path) -> None:
        self._url = str(location) if "://" in str(location) else ""
        self._copy = tempfile.TemporaryDirectory(prefix="shipmate-run-") if self._url else None
        self.folder = Path(self._copy.name) if self._copy else Path(location)

    def __enter__(self) -> "Workdir":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._copy:
            self._copy.cleanup()

    def job(self) -> TrainingJob:
        """What is to be done. Raises FileNotFoundError or ValueError when job.json is not there or not right."""
        path = self.fetch(JOB)
        document = json.loads(path.read_bytes())
        return from_json(TrainingJob, document)

    def fetch(self, name: str) -> Path:
        """A file of the run, as a local path; raises FileNotFoundError."""
        path = self.folder / name
        if self._url and not path.exists():
            with fsspec.open(f"{self._url}/{name}", "rb") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist")
        return path

    def has(self, name: str) -> bool:
        try:
            return self.fetch(name).exists()
        except FileNotFoundError:
            return False

    def tell(self, step: str, fraction: float, text: str = "") -> None:
        """Let others see how far the run is."""
        self.write(PROGRESS, to_json(Progress(step, round(fraction, 4), text)))

    def write(self, name: str, document: dict[str, Any]) -> None:
        """Write and deliver JSON, whole or not at all."""
        path = self.folder / name
        unfinished = path.with_name(f"{name}.{os.getpid()}.part")
        with unfinished.open("w", encoding="utf-8") as stream:
            json.dump(document, stream, allow_nan=False, ensure_ascii=False)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
        self.deliver(name)

    def deliver(self, name: str) -> None:
        """Bring a local file or folder to where the workdir really is."""
        path = self.folder / name
        if not self._url:
            return
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                with fsspec.open(f"{self._url}/{file.relative_to(self.folder).as_posix()}", "wb") as target:
                    target.write(file.read_bytes())

    def discard(self, *names: str) -> None:
        """Remove local files of an earlier, broken off try."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)
