"""`python -m bot.demo.serving`: settings come as one line of JSON on stdin, the port goes out as one on stdout.

The process ends when stdin is closed, so it never outlives whoever started it. The token comes this way because
others on the machine can read a command line.
"""

import json
import logging
import socket
import sys
import tempfile
import threading
from pathlib import Path

import uvicorn

from bot.demo.serving.order import ServingOrder
from pipelines.json_values import from_json


def main() -> None:
    order = from_json(ServingOrder, json.loads(sys.stdin.readline()))
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="shipmate-serving-") as folder:
        _serve(order, listener, Path(folder))


def _serve(order: ServingOrder, listener: socket.socket, folder: Path) -> None:
    # Heavy: imported when the port is known, so that whoever started us need not wait for it.
    from bot.clients.mlflow import MlflowRegistry
    from bot.demo.serving.app import ModelServer
    from bot.demo.serving.champion import ChampionFollower
    from bot.demo.serving.logger import InferenceLogger
    from bot.redaction import Redactor
    from bot.telemetry import configure_logs

    configure_logs("console", "INFO", Redactor())
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logger = (
        InferenceLogger(order.log_url, order.token, order.model, order.log_every_seconds) if order.log_url else None
    )
    follower = ChampionFollower(MlflowRegistry(order.tracking_uri, "", ""), order.model, folder)
    app = ModelServer(order.model, follower, logger).app()
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    )
    threading.Thread(target=_stop_with_parent, args=(server,), daemon=True).start()
    follower.start()
    if logger:
        logger.start()
    server.run(sockets=[listener])
    follower.stop()
    if logger:
        logger.stop()


def _stop_with_parent(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    main()
