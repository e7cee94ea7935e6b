"""Logs over HTTP: a script posts one and reads why it failed, as the command line would have told."""

import json

import httpx
import pytest
from printing import printed
from pydantic import SecretStr

from bot.__main__ import main

TOKEN = "a-token-of-the-journeys"
LOG = (
    b"step one\nERROR: No matching distribution found for torch==2.9.9\n##[error]Process completed with exit code 1.\n"
)
# Pieces, so that nobody's scanner takes it for a key that leaked from here.
KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.fixture
def post(ship):
    """Posts to a bot with these settings."""

    def send(content, headers=None, **query):
        address = f"http://127.0.0.1:{ship.bot.server.port}/analyze"
        headers = {"Authorization": f"Bearer {TOKEN}"} if headers is None else headers
        return httpx.post(address, params=query, content=content, headers=headers, trust_env=False, timeout=60)

    ship.restart(http_bearer_tokens=(SecretStr(TOKEN),))
    return send


def without_time(told):
    return {name: value for name, value in told.items() if name not in ("seconds", "file")}


def test_a_log_gives_over_http_what_the_command_line_prints(ship, post, tmp_path, capsys):
    path = tmp_path / "build.log"
    path.write_bytes(LOG)
    capsys.readouterr()
    main(["triage", "--log", str(path), "--json", "--budget", "500"])
    [report] = printed(capsys)
    answer = post(LOG, name="build.log", budget="500")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["file"] == "build.log"
    assert without_time(answer.json()) == without_time(report)
    assert answer.json()["causes"][0]["lines"] == [2]
    assert list((ship.folder / "triage").iterdir()) == []
    assert post(LOG, headers={}).status_code == 401
    ship.restart(http_bearer_tokens=())
    closed = post(LOG)
    assert (closed.status_code, "SHIPMATE_HTTP_BEARER_TOKENS" in closed.json()["detail"]) == (403, True)


def test_a_language_model_is_asked_only_where_the_query_says_so(ship, post, model):
    model.script = lambda _prompt: json.dumps(
        {"summary": "No such version of torch.", "causes": [
            {"text": "There is no distribution torch 2.9.9", "lines": ["2"], "confidence": 0.9}],
         "fix": ["Pin another version."], "patch": ""}
    )  # fmt: skip
    without = post(LOG, explain="true").json()
    assert (without["written_by"], "No language model" in without["notice"]) == ("offline", True)
    ship.restart(**model.settings)
    plain = post(LOG).json()
    assert (plain["written_by"], model.prompts) == ("offline", [])
    told = post(LOG + f"error: token={KEY}\n".encode(), explain="true").json()
    assert told["causes"][0]["text"] == "There is no distribution torch 2.9.9"
    assert told["causes"][0]["lines"] == [2]
    assert "gpt-4o-mini" in told["written_by"]
    assert model.prompts
    assert KEY not in "".join(model.prompts)
