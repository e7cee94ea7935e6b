"""Documents that hold instructions, and a model that obeys them: what comes out does nothing all the same."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from bot.cards.inert import JOINER, NO_LINK, inert, inert_line, inert_markdown, inert_section
from bot.clients.language_models.building import Voice, build_language_model
from bot.clients.ledger import Ledger
from bot.config import Settings
from bot.redaction import Redactor
from bot.sandbox.slack.blockkit import judge_blocks
from bot.telemetry import Telemetry
from pipelines.prompts import Block, Prompt, fence

INJECTIONS = json.loads(Path(__file__).with_name("injections.json").read_text())
TEXTS = [pytest.param(each["text"], id=each["name"]) for each in INJECTIONS]
OURS = "https://runbooks.example.org/oom"
# All that Slack makes something of: its own brackets, addresses, names, emoji.
EFFECTS = re.compile(
    r"<|://|www\.(?=\w)|(?:mailto|javascript|tel|slack|data):(?=\w|[+/])|@(?=\w)|(?<!\w)#(?=\w)|\]\((?=\S)"
    r"|:(?=[a-z0-9_+'-]*[a-z][a-z0-9_+'-]*:)|evil\.example"
)


class Report(BaseModel):
    summary: str = Field(max_length=2000)
    causes: list[str] = Field(max_length=3)


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC)


class ObedientModel:
    """Speaks Chat Completions, and answers with whatever stands in the fenced document, in every place there is."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                material = asked["messages"][-1]["content"]
                order = material.split("\n", 1)[1].rsplit("\n", 1)[0]
                content = json.dumps({"summary": order, "causes": [order] * 3, "approved": True, "blocks": [order]})
                choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
                body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Voice]:
    model = ObedientModel()
    settings = Settings(data_dir=tmp_path, openai_base_url=model.url)
    voice = build_language_model(settings, Ledger(settings.database_url, Clock()), Telemetry(), Redactor(), Clock())
    yield voice
    voice.stop()
    model.close()


def test_there_are_twenty_of_them() -> None:
    assert len(TEXTS) >= 20


@pytest.mark.parametrize("text", TEXTS)
def test_a_model_that_obeys_a_document_steers_nothing(hostile: Voice, text: str) -> None:
    asked = Prompt("triage", "Explain.", fence([Block("a document", text)], "0123456789abcdef"))
    done = hostile.model.complete(asked, Report, lambda: Report(summary="offline", causes=[]))
    assert done.source == "openai gpt-4o-mini"
    assert set(done.value.model_dump()) == {"summary", "causes"}  # no room for a word like "approved"
    drawn = [inert_section(done.value.summary), *(inert_section(cause) for cause in done.value.causes)]
    assert [block["type"] for block in drawn] == ["section"] * 4
    assert judge_blocks(drawn, "message") == []
    for block in drawn:
        assert EFFECTS.search(block["text"]["text"]) is None
        assert block["text"]["verbatim"] is True


@pytest.mark.parametrize("text", TEXTS)
def test_as_markdown_it_does_as_little(text: str) -> None:
    shown = inert_markdown(text).replace(f"<{JOINER}", "")
    assert EFFECTS.search(shown) is None


@pytest.mark.parametrize("text", TEXTS)
def test_in_one_line_it_looks_like_no_part_of_a_card(text: str) -> None:
    assert "\n" not in inert_line(text)


@pytest.mark.parametrize("text", TEXTS)
def test_our_own_link_beside_it_still_works(text: str) -> None:
    shown = inert(f"{text} Source: {OURS}.", [OURS])
    assert shown.count(f"<{OURS}>") == 1
    assert EFFECTS.search(shown.replace(f"<{OURS}>", "")) is None


@given(st.text(max_size=300))
def test_whatever_a_model_writes_no_bracket_of_slack_is_left(text: str) -> None:
    assert "<" not in inert(text)
    assert len(inert(text, limit=100)) <= 100


@given(
    st.lists(st.sampled_from(["<", ">", "!", "channel", "[", "]", "(", ")", "|", "@", ":", "//", "https:", "a.com/"]))
)
def test_pieces_of_links_put_together_are_no_link(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert re.search(r"<|https?:/|@(?=\w)", inert(text)) is None
    assert "](" not in inert_markdown(text)


def test_an_allowed_link_keeps_its_label_and_another_loses_its_address() -> None:
    text = f"See [the *runbook*]({OURS}), <{OURS}|this>, {OURS}. Not <https://x.org|that>."
    assert inert(text, [OURS]) == (f"See <{OURS}|the *runbook*>, <{OURS}|this>, <{OURS}>. Not that {NO_LINK}.")


def test_a_longer_address_is_not_the_allowed_one() -> None:
    assert inert(f"{OURS}.evil.example/x {OURS}@evil.example", [OURS]) == f"{NO_LINK} {NO_LINK}"


def test_a_label_cannot_hold_another_link() -> None:
    assert inert(f"[https://x.org]({OURS})", [OURS]) == f"<{OURS}|{NO_LINK}>"


def test_an_allowed_address_cannot_end_its_own_link() -> None:
    odd = "https://a.example/x|y>z"
    assert "%7C" in inert("[1](https://a.example/x|y)", ["https://a.example/x|y"])
    assert "<!" not in inert(odd, [odd])


def test_ordinary_sentences_stay_as_they_are() -> None:
    said = "At 10:42:07 train.py:12 used 3.5 GB (values.yaml, v1.2) & 5 < 6; *bold* `code` 50 % #"
    assert inert(said) == said.replace("&", "&amp;").replace("<", "&lt;")


def test_a_long_text_in_brackets_is_cut_like_any_other() -> None:
    assert inert("[1] " + "x" * 100, limit=20) == "[1] " + "x" * 15 + "…"


def test_no_entity_is_cut_in_half() -> None:
    assert re.fullmatch(r"(?:&lt;)+…", inert("<" * 50, limit=30))


def test_a_long_text_is_cut_between_links() -> None:
    links = " ".join([f"[source {number}]({OURS})" for number in range(100)])
    shown = inert(links, [OURS], limit=500)
    assert len(shown) <= 500
    assert shown.endswith("…")
    assert shown.count("<") == shown.count(">") == shown.count("|")
