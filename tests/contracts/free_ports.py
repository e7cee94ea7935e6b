"""Ports for programs that have to be told one."""

import os
import random
import socket

# Below those that a kernel hands out by itself (Linux: net.ipv4.ip_local_port_range, from 32768 on): between our look
# and the program's start nobody who asked for any port, or connected to somebody, can have got one of these.
LOWEST, EACH, PROCESSES = 10_000, 2_000, 10


def free_port() -> int:
    """A port that nobody listens on; processes of pytest-xdist look in ranges of their own."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES
    lowest = LOWEST + process * EACH
    while True:
        port = lowest + random.SystemRandom().randrange(EACH)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
