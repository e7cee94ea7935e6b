"""Bolt as its documentation starts it: `App()`, and a listener that acknowledges and then works two seconds."""

import os
import signal
import threading
import time

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

WORK_SECONDS = 2.0


def main() -> None:
    """Serve until SIGTERM."""
    app = App(client=WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]))

    @app.command("/models")
    def models(ack):
        ack()
        time.sleep(WORK_SECONDS)

    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    handler = SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
    handler.connect()
    ended.wait()
    os._exit(0)  # two hundred listeners may still be asleep


if __name__ == "__main__":
    main()
