"""A whole bot as a process of its own, whose clock is a file: `python digest_replica.py NAME DATABASE_URL …`."""

import json
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from bot.app import build_bot
from bot.catalogue import load_catalogue
from bot.config import Settings, prepare_environment


class ClockInAFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.fromisoformat(self._path.read_text())


def main() -> None:
    asked = json.loads(sys.argv[1])
    settings = Settings(http_port=0, log_format="console", **asked["settings"])
    prepare_environment(settings)
    clock = ClockInAFile(Path(asked["clock"]))
    bot = build_bot(settings, load_catalogue(settings.catalogue_path, settings.data_dir), clock)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    bot.start()
    sys.stdout.write(f"port {bot.server.port}\nstarted\n")
    sys.stdout.flush()
    stopping.wait()
    bot.stop()


if __name__ == "__main__":
    main()
