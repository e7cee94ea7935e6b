"""A detached process in a folder, of which there is never more than one, and which is found again after kill -9.

The process inherits a lock on `alive.lock`, and the kernel frees it when the process (and all that it forked) has
ended. So whether it lives is a question about the lock: no process id is trusted, which another process may have
got in the meantime, and nothing is lost when we are killed between starting it and writing down its id.
"""

import errno
import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from pipelines.errors import Unavailable

NICENESS = 5
TERM_SECONDS = 5.0
KILL_SECONDS = 5.0
POLL_SECONDS = 0.05
# The shell writes down its own id and then becomes the command, under the same id.
_LAUNCH = 'n=$1; shift; echo $$ > "$0.part" && mv "$0.part" "$0" && exec nice -n "$n" "$@"'


class FolderProcess:
    """The process of one folder. Take `turn()` around whatever decides on what it sees."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._alive_lock = folder / "alive.lock"
        self._pid_file = folder / "process.pid"

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One at a time, over all threads and processes."""
        with self._opened(self._folder / "turn.lock") as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    def lives(self) -> bool:
        with self._opened(self._alive_lock) as descriptor:
            return not _took(descriptor)

    @property
    def was_started(self) -> bool:
        return self._pid_file.exists()

    @property
    def started_at(self) -> float:
        """Seconds since the epoch; only of a process that was started."""
        return self._pid_file.stat().st_mtime

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `command` in a session of its own, unless it lives already."""
        with self._opened(self._alive_lock) as descriptor:
            if not _took(descriptor):
                return
            self._pid_file.unlink(missing_ok=True)
            launch = ["/bin/sh", "-c", _LAUNCH, str(self._pid_file), str(NICENESS), *command]
            with (self._folder / "stdout.log").open("wb") as out, (self._folder / "stderr.log").open("wb") as err:
                child = subprocess.Popen(  # noqa: S603
                    launch, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=dict(environment),
                    pass_fds=(descriptor,), start_new_session=True,
                )  # fmt: skip
        # Somebody has to wait for it, or it stays a zombie for as long as we live.
        threading.Thread(target=child.wait, name=f"reap {child.pid}", daemon=True).start()

    def resident_mb(self) -> float:
        """Memory of the process and its descendants; 0 when they are gone."""
        leader = self._leader()
        if leader is None:
            return 0.0
        total = 0
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            for process in (leader, *leader.children(recursive=True)):
                total += process.memory_info().rss
        return total / (1 << 20)

    def end(self) -> None:
        """SIGTERM to the whole group, SIGKILL after some seconds; returns when it is gone."""
        for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
            deadline = time.monotonic() + seconds
            told = False
            while self.lives():
                told = told or self._tell(number)
                if time.monotonic() > deadline:
                    break
                time.sleep(POLL_SECONDS)

    def last_words(self, lines: int = 5) -> str:
        """The end of what it wrote to stderr."""
        path = self._folder / "stderr.log"
        if not path.exists():
            return ""
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 8_192))
            text = stream.read().decode(errors="replace")
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])

    def _tell(self, number: int) -> bool:
        """Signal the group; False while the process has not yet written down who it is."""
        leader = self._leader()
        if leader is None:
            return self._tell_orphans(number)
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, number)
        return True

    def _leader(self) -> psutil.Process | None:
        """The process that the folder names, if that is still the one that was started here."""
        try:
            process = psutil.Process(int(self._pid_file.read_text()))
            # A process id that was given to somebody else: they are not started with the name of our folder.
            return process if any(str(self._folder) in word for word in process.cmdline()) else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
            return None

    def _tell_orphans(self, number: int) -> bool:
        """Signal what still holds the lock although the leader is gone: the members of its session."""
        if not self.was_started:
            return False
        session = int(self._pid_file.read_text())
        for process in psutil.process_iter():
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(process.pid) == session:
                    process.send_signal(number)
        return True

    @contextmanager
    def _opened(self, path: Path) -> Iterator[int]:
        with told_of_the_disk():
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _took(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def told_of_the_disk() -> Iterator[None]:
    """A disk that is full or that may not be written, in plain words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable("the disk", "it is full; nothing was started") from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EIO):
            raise Unavailable("the disk", f"it cannot be written ({os.strerror(error.errno)})") from error
        raise
