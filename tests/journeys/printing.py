"""What a command printed, while a bot in the same process writes its log to the same output."""

import json
from typing import Any

import pytest


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The JSON objects; a line of the log may stand before one or after it, without an end of line between."""
    lines = [line for line in capsys.readouterr().out.splitlines() if '{"' in line]
    return [json.JSONDecoder().raw_decode(line, line.index('{"'))[0] for line in lines]
