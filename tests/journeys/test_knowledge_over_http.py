"""The knowledge over HTTP: upload, ask, list, delete; and what callers without a right or with rubbish are told."""

import base64

import httpx
import pytest
from pydantic import SecretStr

from pipelines.ask.ingests import FINISHED

TOKEN = "a-token-of-the-journeys"
QUEUE = """# The labelling queue

The labelling queue is emptied every night at 02:30 by the job drain-labels. If more than 5000 items wait in the
morning, run `shipmate-labels drain --all` by hand.
"""


@pytest.fixture
def http(ship):
    ship.restart(http_bearer_tokens=(SecretStr("another-one"), SecretStr(TOKEN)))
    base = f"http://127.0.0.1:{ship.bot.server.port}"
    with httpx.Client(
        base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60
    ) as client:
        yield client


def as_json(name, text, **more):
    return {"filename": name, "content": base64.b64encode(text.encode()).decode(), **more}


def uploaded(http, **sent):
    """The end of an upload, which a busy machine takes longer for than its request waits."""
    answer = http.post("/upload", **sent)
    assert answer.status_code in (201, 202), answer.text
    told = answer.json()
    while told["state"] not in FINISHED:
        told = http.get(f"/uploads/{told['upload']}").json()
    return told


def test_what_is_uploaded_answers_questions_over_http_and_in_slack_until_it_is_deleted(ship, http):
    space = ship.workspace
    vera = space.person("vera")
    added = uploaded(http, json=as_json("queue.md", QUEUE))
    assert added["state"] == "added"
    answer = http.post("/query", json={"question": "when is the labelling queue emptied?"}).json()
    assert answer["state"] == "answered"
    assert "02:30" in answer["answer"]
    assert answer["sources"][0]["title"] == "The labelling queue"
    assert answer["sentences"][0]["citations"] == [1]
    space.type("/ask when is the labelling queue emptied?", as_=vera, channel="#ml")
    space.wait_for_message("#ml", containing="02:30", as_=vera, seconds=30)
    document = added["document"]
    assert [one["id"] for one in http.get("/documents").json()] == [document]
    assert http.delete(f"/documents/{document}").status_code == 204
    assert http.delete(f"/documents/{document}").status_code == 404
    assert http.get("/documents").json() == []
    assert http.post("/query", json={"question": "when is the labelling queue emptied?"}).json()["state"] == "unknown"


def test_the_same_content_is_one_document_and_an_edited_one_replaces_the_old(http):
    first = uploaded(http, files={"file": ("queue.md", QUEUE.encode())})
    again = uploaded(http, json=as_json("copy.md", QUEUE))
    assert (again["state"], again["document"]) == ("unchanged", first["document"])
    edited = uploaded(http, files={"file": ("queue.md", QUEUE.replace("02:30", "04:45").encode())})
    assert (edited["state"], edited["document"]) == ("replaced", first["document"])
    answer = http.post("/query", json={"question": "when is the labelling queue emptied?"}).json()["answer"]
    assert "04:45" in answer
    assert "02:30" not in answer
    assert len(http.get("/documents").json()) == 1


def test_a_document_of_a_channel_answers_only_there(http):
    added = uploaded(http, files={"file": ("queue.md", QUEUE.encode())}, data={"channels": "#ops"})
    assert added["state"] == "added"
    question = "when is the labelling queue emptied?"
    assert http.post("/query", json={"question": question}).json()["state"] == "unknown"
    assert http.post("/query", json={"question": question, "channel": "#ml"}).json()["state"] == "unknown"
    assert http.post("/query", json={"question": question, "channel": "#ops"}).json()["state"] == "answered"
    assert len(http.get("/documents", params={"channel": "#ops"}).json()) == 1
    assert http.get("/documents", params={"channel": "#ml"}).json() == []


RUBBISH = (
    ("POST", "/query", {"json": {"question": ""}}, 400, "What do you want to know"),
    ("POST", "/query", {"json": {"question": "why " * 2_000}}, 400, "at most 2,000"),
    ("POST", "/query", {"json": {"question": 7}}, 400, "question"),
    ("POST", "/query", {"content": b"{"}, 400, "body"),
    ("POST", "/query", {"json": {"question": "does it fail?", "channel": "#nowhere"}}, 400, "I see no channel"),
    ("POST", "/upload", {"json": {"filename": "a.md", "content": "???"}}, 400, "base64"),
    ("POST", "/upload", {"json": {"filename": "a.md", "content": ""}}, 400, "empty"),
    ("POST", "/upload", {"json": {"content": "YQ=="}}, 400, "filename"),
    ("POST", "/upload", {"content": b"\x00\xff" * 100}, 400, "JSON"),
    ("POST", "/upload", {"files": {"other": ("a.md", b"x")}}, 400, "no file"),
    ("POST", "/upload", {"files": {"file": ("../../etc/pass\x01wd", b"\x00")}}, 400, ""),
    ("POST", "/upload", {"files": {"file": ("a.bin", b"\x00\x01\x02" * 1000)}}, 400, "a.bin"),
    ("POST", "/upload", {"content": b"x" * 41_000_000}, 413, "larger"),
    ("POST", "/query", {"content": b"x" * 41_000_000}, 413, "larger"),
    ("GET", "/uploads/none", {}, 404, "no such upload"),
)


def test_rubbish_is_told_in_plain_json(http):
    for method, path, body, status, says in RUBBISH:
        answer = http.request(method, path, **body)
        assert (answer.status_code, says in str(answer.json()["detail"])) == (status, True), (path, body, answer.text)
    # A body whose length nobody announced is counted as it comes.
    endless = http.post("/query", content=(b"x" * 100_000 for _ in range(500)))
    assert endless.status_code == 413
    assert http.get("/documents").json() == []


def test_without_a_token_nothing_is_read_or_told(ship, http):
    bare = {"Authorization": ""}
    for headers in (bare, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = http.get("/documents", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert http.get("/documents", headers={"Authorization": "bearer another-one"}).status_code == 200
    ship.restart(http_bearer_tokens=())
    answer = httpx.get(f"http://127.0.0.1:{ship.bot.server.port}/documents", trust_env=False)
    assert answer.status_code == 403
    assert "SHIPMATE_HTTP_BEARER_TOKENS" in answer.json()["detail"]


def test_the_page_of_the_routes_needs_nothing_from_elsewhere(http):
    page = http.get("/docs")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for named in ("/upload", "/query", "/documents/{document}", "Authorization: Bearer"):
        assert named in page.text
    assert "<script" not in page.text
    assert "src=" not in page.text
    assert "/upload" in http.get("/openapi.json").json()["paths"]
