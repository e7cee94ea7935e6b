"""Serves an ASGI app on 127.0.0.1, in a thread of its own."""

import socket
import threading
import time
from typing import Any

import uvicorn

START_SECONDS = 60


class LoopbackServer:
    """The port is known at once; requests are answered from `start` to `stop`."""

    def __init__(self, app: Any, port: int, name: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise OSError(f"The sandbox could not start on port {self.port}.")
            time.sleep(0.005)

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._listener])
