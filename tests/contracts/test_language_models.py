"""Every provider of language models, on the wire, against aimock, which speaks both OpenAI's and Gemini's protocol.

SHIPMATE_CONTRACT_PROVIDERS says which providers: google-generativeai needs an environment of its own, where
test_google_generativeai.py runs this file again.
"""

import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from pydantic import BaseModel, Field

from bot.clients.language_models.building import Voice, build_language_model
from bot.clients.language_models.guarded import Patience
from bot.clients.ledger import Ledger
from bot.config import Settings
from bot.redaction import Redactor
from bot.telemetry import Telemetry
from pipelines.errors import Unavailable
from pipelines.ports import Completion
from pipelines.prompts import Prompt

PROVIDERS = os.environ.get("SHIPMATE_CONTRACT_PROVIDERS", "openai,gemini").split(",")
AIMOCK = Path(__file__).with_name("node_modules") / "@copilotkit" / "aimock" / "dist" / "cli.js"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUICK = Patience(attempts=3, first_wait_seconds=0.01, longest_wait_seconds=0.02, failures=2)


class Verdict(BaseModel):
    """What the model is asked for here."""

    summary: str
    confidence: float = Field(ge=0, le=1)


GOOD = json.dumps({"summary": "The disk is full.", "confidence": 0.9})
WITHOUT_MODEL = Verdict(summary="extracted", confidence=0)


@dataclass
class Clock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@dataclass
class Mock:
    """A started aimock. `teach` adds answers, the first that matches wins; `received` is what came in."""

    port: int
    rules: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def teach(self, said: str, content: str = "", **more: Any) -> None:
        """Answer prompts that hold `said`; `status` makes it an error, other words are aimock's own."""
        match = {"userMessage": said} | {name: more.pop(name) for name in ("sequenceIndex", "model") if name in more}
        response: dict[str, Any] = {"content": content, "usage": {"prompt_tokens": 100, "completion_tokens": 20}}
        if status := more.pop("status", None):
            response = {"error": {"message": more.pop("message", "no"), "type": "INTERNAL"}, "status": status}
            response |= {name: more.pop(name) for name in ("retryAfter",) if name in more}
        self.control("POST", "fixtures", {"fixtures": [{"match": match, "response": response, **more}]})

    def received(self) -> list[dict[str, Any]]:
        return [entry for entry in self.control("GET", "journal") if entry["method"] == "POST"]

    def control(self, method: str, what: str, body: Any = None) -> Any:
        sent = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/__aimock/{what}", data=sent, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="session")
def aimock() -> Iterator[Mock]:
    node = shutil.which("node")
    if node is None or not AIMOCK.exists():
        missing = "node is not installed" if node is None else "aimock is not installed (make test does it with npm)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(f"{missing}, so there is nobody to answer for the language models")
    port = free_port()
    empty = AIMOCK.parents[1] / "fixtures" / "example-greeting.json"
    command = [node, str(AIMOCK), "-p", str(port), "-h", "127.0.0.1", "-f", str(empty), "--log-level", "silent"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    mock = Mock(port)
    wait_for(mock, server)
    yield mock
    server.kill()  # asked politely it would first end the answers that it holds back
    server.communicate(timeout=120)


def wait_for(mock: Mock, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        try:
            mock.control("GET", "health")
        except OSError:
            if server.poll() is not None:
                pytest.fail(f"aimock did not start: {server.communicate()[1].decode()[-2000:]}")
            time.sleep(0.1)
        else:
            return
    pytest.fail("aimock did not answer")


@pytest.fixture
def mock(aimock: Mock) -> Mock:
    aimock.control("POST", "reset")
    return aimock


class ArrayStreams:
    """In front of aimock: streams as JSON arrays, as Google sends them to clients that do not ask for events.

    aimock knows events only; google-generativeai asks for an array.
    """

    def __init__(self, mock: Mock) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = urllib.request.Request(f"{mock.url}{self.path}", data=body, headers=dict(self.headers))
                try:
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        self.relay(answer)
                except urllib.error.HTTPError as error:
                    self.begin(error.code, error.headers)
                    self.wfile.write(error.read())
                except (OSError, ValueError):
                    self.close_connection = True

            def relay(self, answer: Any) -> None:
                self.begin(answer.status, answer.headers)
                if "event-stream" not in answer.headers.get("Content-Type", ""):
                    self.wfile.write(answer.read())
                    return
                separator = b"["
                for line in answer:
                    if line.startswith(b"data: "):
                        self.wfile.write(separator + line[6:])
                        self.wfile.flush()
                        separator = b","
                self.wfile.write(b"]")

            def begin(self, status: int, headers: Any) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if headers.get("Retry-After"):
                    self.send_header("Retry-After", headers["Retry-After"])
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Place:
    """A language model made as the bot makes it, over a database of its own."""

    provider: str
    folder: Path
    mock: Mock
    gemini_url: str
    clock: Clock = field(default_factory=Clock)
    telemetry: Telemetry = field(default_factory=Telemetry)
    voices: list[Voice] = field(default_factory=list)

    def voice(self, *, order: tuple[str, ...] = (), patience: Patience = QUICK, **changes: Any) -> Voice:
        settings = Settings(
            data_dir=self.folder, language_models=order or (self.provider,), openai_api_key="sk-test",
            openai_base_url=f"{self.mock.url}/v1", gemini_api_key="test", gemini_base_url=self.gemini_url,
            openai_model="gpt-4o-mini", gemini_model="gemini-3.5-flash-lite", **changes,
        )  # fmt: skip
        ledger = Ledger(settings.database_url, self.clock)
        made = build_language_model(settings, ledger, self.telemetry, Redactor(), self.clock, patience)
        made.warm()  # else the first call would spend its time on imports
        self.voices.append(made)
        return made

    @property
    def model(self) -> str:
        return "gpt-4o-mini" if self.provider == "openai" else "gemini-3.5-flash-lite"


@pytest.fixture(params=PROVIDERS)
def place(request: pytest.FixtureRequest, tmp_path: Path, mock: Mock) -> Iterator[Place]:
    arrays = ArrayStreams(mock) if request.param == "google-generativeai" else None
    made = Place(request.param, tmp_path, mock, arrays.url if arrays else mock.url)
    yield made
    for voice in made.voices:
        voice.stop()
    if arrays:
        arrays.close()


def prompt(text: str = "why did it fail?") -> Prompt:
    return Prompt("triage", "You explain failures.", text)


def complete(voice: Voice, text: str = "why did it fail?") -> Completion[Verdict]:
    return voice.model.complete(prompt(text), Verdict, lambda: WITHOUT_MODEL)


class TestAnswers:
    def test_an_answer_comes_back_as_a_value_with_its_source_tokens_and_cost(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD)
        done = complete(place.voice())
        assert done.value == Verdict(summary="The disk is full.", confidence=0.9)
        assert done.source == f"{place.provider} {place.model}"
        assert done.notice == ""
        assert (done.input_tokens, done.output_tokens) == (100, 20)
        price = (0.15, 0.60) if place.provider == "openai" else (0.30, 2.50)
        assert done.cost_dollars == pytest.approx((100 * price[0] + 20 * price[1]) / 1e6)

    def test_instructions_and_material_arrive_in_their_places(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD)
        complete(place.voice())
        said = mock.received()[0]["body"]["messages"]
        assert [message["role"] for message in said] == ["system", "user"]
        assert str(said[0]["content"]).startswith("You explain failures.")
        assert said[1]["content"] == "why did it fail?"

    def test_an_answer_wrapped_in_words_is_found(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", f"Sure! Here it is:\n```json\n{GOOD}\n```\nAnything else?")
        assert complete(place.voice()).value.summary == "The disk is full."
        assert len(mock.received()) == 1

    def test_what_nobody_sees_is_taken_out_of_an_answer(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", json.dumps({"summary": "a\u0000b\u202ec\u200bd\ne", "confidence": 1}))
        assert complete(place.voice()).value.summary == "abcd\ne"


class TestRepair:
    def test_a_broken_answer_is_repaired_once(self, place: Place, mock: Mock) -> None:
        mock.teach("Answer again", GOOD)
        mock.teach("why did it fail?", '{"summary": "half')
        done = complete(place.voice())
        assert done.value.summary == "The disk is full."
        assert (done.input_tokens, done.output_tokens) == (200, 40)
        assert len(mock.received()) == 2

    def test_the_model_is_told_what_does_not_fit(self, place: Place, mock: Mock) -> None:
        mock.teach("Answer again", GOOD)
        mock.teach("why did it fail?", '{"summary": "x", "confidence": 7}')
        complete(place.voice())
        said = mock.received()[1]["body"]["messages"]
        assert [message["role"] for message in said] == ["system", "user", "assistant", "user"]
        assert "confidence: Input should be less than or equal to 1" in said[3]["content"]

    @pytest.mark.parametrize("broken", ["no JSON at all", "[1, 2]", '{"summary": 1}', "{" * 5000, ""])
    def test_broken_twice_is_answered_without_a_model(self, place: Place, mock: Mock, broken: str) -> None:
        mock.teach("Answer again", broken or " ")
        mock.teach("why did it fail?", broken or " ")
        done = complete(place.voice())
        assert (done.value, done.source) == (WITHOUT_MODEL, "offline")
        assert done.notice.startswith("Written without a language model: ")
        assert "twice in a form that cannot be read" in done.notice
        assert len(mock.received()) == 2


class TestTrouble:
    def test_too_many_requests_wait_as_long_as_the_server_asks(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", status=429, retryAfter=1, sequenceIndex=0)
        mock.teach("why did it fail?", GOOD)
        done = complete(place.voice())
        assert done.notice == ""
        first, second = (entry["timestamp"] for entry in mock.received())
        assert second - first >= 1000  # milliseconds; the wait of our own would be some ten

    def test_who_asks_for_too_long_a_wait_is_not_asked_again(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", status=429, retryAfter=3600)
        voice = place.voice()
        done = complete(voice)
        assert "asked too often" in done.notice
        assert len(mock.received()) == 1
        assert not voice.model.available
        assert "left alone" in complete(voice).notice
        assert len(mock.received()) == 1

    def test_a_failure_on_its_side_is_tried_again(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", status=500, sequenceIndex=0)
        mock.teach("why did it fail?", status=503, sequenceIndex=1)
        mock.teach("why did it fail?", GOOD)
        assert complete(place.voice()).value.summary == "The disk is full."
        assert len(mock.received()) == 3

    def test_three_failures_are_enough(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", status=500)
        done = complete(place.voice())
        assert (done.value, done.source) == (WITHOUT_MODEL, "offline")
        assert f"{place.model}: it failed on its side (500)" in done.notice
        assert len(mock.received()) == 3

    @pytest.mark.parametrize(
        ("status", "reason"), [(400, "rejected the request"), (401, "refused the key"), (404, "knows no model")]
    )
    def test_what_another_try_cannot_help_is_not_tried_again(
        self, place: Place, mock: Mock, status: int, reason: str
    ) -> None:
        mock.teach("why did it fail?", status=status)
        done = complete(place.voice())
        assert reason in done.notice
        # google-auth, below google-generativeai, renews even the credentials that an API key needs none of, twice.
        refreshed = place.provider == "google-generativeai" and status == 401
        assert len(mock.received()) == (3 if refreshed else 1)

    def test_a_connection_that_drops_is_tried_again_and_then_told(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD, chaos={"disconnectRate": 1})
        done = complete(place.voice())
        assert "cannot be reached, or hung up" in done.notice

    def test_a_body_that_is_no_json_is_told(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD, chaos={"malformedRate": 1})
        assert "answer cannot be read" in complete(place.voice()).notice

    def test_a_slow_model_is_not_waited_for(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD, chaos={"latencyMs": 20_000})
        done = complete(place.voice(language_model_timeout_seconds=0.3))
        assert done.value == WITHOUT_MODEL
        assert "did not answer in time" in done.notice

    def test_stopping_does_not_wait_for_a_slow_model(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD, chaos={"latencyMs": 30_000})
        voice = place.voice()
        answers: list[Completion[Verdict]] = []
        asking = threading.Thread(target=lambda: answers.append(complete(voice)))
        asking.start()
        until(lambda: voice.usage.report().budget.tokens_used)  # set aside: it is being asked
        voice.stop()
        asking.join(120)
        assert not asking.is_alive()
        assert "the bot is stopping" in answers[0].notice, "else it was the model that answered, after half a minute"
        assert not voice.model.available

    def test_nobody_at_the_address_is_told(self, place: Place) -> None:
        place.mock = Mock(1)
        place.gemini_url = place.mock.url
        assert "cannot be reached" in complete(place.voice()).notice


class TestBreakerAndOrder:
    def test_who_fails_again_and_again_is_left_alone_and_then_tried_once(self, place: Place, mock: Mock) -> None:
        mock.teach("failing", status=500)
        mock.teach("well", GOOD)
        at = [0.0]
        voice = place.voice(patience=Patience(attempts=1, failures=2, open_seconds=30, now=lambda: at[0]))
        complete(voice, "failing")
        complete(voice, "failing")
        assert not voice.model.available
        assert "left alone" in complete(voice, "well").notice
        assert len(mock.received()) == 2
        at[0] = 30
        assert voice.model.available
        assert "failed on its side" in complete(voice, "failing").notice  # the probe fails: open again
        assert "left alone" in complete(voice, "well").notice
        at[0] = 60
        assert complete(voice, "well").notice == ""
        assert complete(voice, "well").notice == ""

    def test_the_next_model_answers_when_the_first_fails(self, place: Place, mock: Mock) -> None:
        other, model = ("gemini", "gemini-3.5-flash-lite") if place.provider == "openai" else ("openai", "gpt-4o-mini")
        mock.teach("why did it fail?", status=500, model=place.model)
        mock.teach("why did it fail?", GOOD, model=model)
        done = complete(place.voice(order=(place.provider, other)))
        assert done.source == f"{other} {model}"
        assert done.notice == ""

    def test_with_every_model_down_each_is_named(self, place: Place, mock: Mock) -> None:
        other = "gemini" if place.provider == "openai" else "openai"
        mock.teach("why did it fail?", status=500, model="gpt-4o-mini")
        mock.teach("why did it fail?", status=401, model="gemini-3.5-flash-lite")
        notice = complete(place.voice(order=(place.provider, other))).notice
        assert "gpt-4o-mini: it failed on its side (500)" in notice
        assert "gemini-3.5-flash-lite: it refused the key (401)" in notice


class TestLimits:
    def test_when_the_budget_is_used_up_nothing_is_sent(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD)
        voice = place.voice(language_model_daily_tokens=2050, language_model_output_tokens=2000)
        assert complete(voice).notice == ""
        refused = complete(voice)
        assert refused.value == WITHOUT_MODEL
        assert "today's budget is used up (2,050 tokens or $5.00)" in refused.notice
        assert len(mock.received()) == 1

    def test_a_budget_in_dollars_holds_too(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD)
        voice = place.voice(language_model_prices={place.model: (0.0, 2000.0)}, language_model_daily_dollars=4.03)
        assert complete(voice).cost_dollars == pytest.approx(0.04)
        assert "today's budget is used up" in complete(voice).notice

    def test_the_budget_begins_anew_the_next_day_and_outlives_a_restart(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", GOOD)
        limits = {"language_model_daily_tokens": 2050, "language_model_output_tokens": 2000}
        complete(place.voice(**limits))
        restarted = place.voice(**limits)
        assert "used up" in complete(restarted).notice
        place.clock.at = NOON.replace(day=24)
        assert complete(restarted).notice == ""

    def test_a_prompt_of_a_megabyte_is_not_sent_and_that_is_said(self, place: Place, mock: Mock) -> None:
        done = complete(place.voice(), "a line of a log\n" * 65_536)
        assert done.value == WITHOUT_MODEL
        assert "the prompt is too long (about 349," in done.notice
        assert mock.received() == []

    def test_no_secret_is_on_the_wire(self, place: Place, mock: Mock) -> None:
        secrets = ("AKIAIOSFODNN7EXAMPLE", "xoxb-1234567890-abcdefghijklmnop", "hunter2-of-the-database")
        mock.teach("the log", GOOD)
        text = f"the log: key {secrets[0]} and {secrets[1]}\npostgresql://ops:{secrets[2]}@db/ship"
        answer = place.voice().model.complete(
            Prompt("triage", f"Never say {secrets[0]}.", text), Verdict, lambda: WITHOUT_MODEL
        )
        assert answer.notice == ""
        sent = json.dumps(mock.received(), ensure_ascii=False)
        assert "‹secret:aws-key:1›" in sent
        assert [secret for secret in secrets if secret in sent] == []

    def test_use_is_booked_by_feature_and_counted(self, place: Place, mock: Mock) -> None:
        mock.teach("why did it fail?", status=500, sequenceIndex=0)
        mock.teach("why did it fail?", GOOD)
        voice = place.voice()
        complete(voice)
        report = voice.usage.report()
        assert report.models == (f"{place.provider} {place.model}",)
        (used,) = report.today
        assert (used.feature, used.calls, used.failures) == ("triage", 2, 1)
        assert (used.input_tokens, used.output_tokens) == (100, 20)
        assert report.budget.tokens_used == 120
        metrics = place.telemetry.exposition().decode()
        labels = f'feature="triage",outcome="ok",provider="{place.provider}"'
        assert f"shipmate_language_model_calls_total{{{labels}}} 1.0" in metrics
        assert re.search(r"shipmate_language_model_cost_dollars_total\{[^}]*\} \d", metrics)


class TestStreams:
    def test_an_answer_comes_in_pieces(self, place: Place, mock: Mock) -> None:
        mock.teach("tell me", "The disk of node seven is full, so the pod was evicted.", chunkSize=10)
        voice = place.voice()
        pieces = list(voice.model.stream(prompt("tell me")))
        assert "".join(pieces) == "The disk of node seven is full, so the pod was evicted."
        assert len(pieces) > 3
        assert voice.usage.report().today[0].failures == 0

    def test_a_stream_that_breaks_off_says_so(self, place: Place, mock: Mock) -> None:
        mock.teach("tell me", "The disk of node seven is full. " * 20, chunkSize=10, latency=20, truncateAfterChunks=12)
        pieces: list[str] = []
        with pytest.raises(Unavailable, match=r"broke off|hung up|cannot be read"):
            pieces.extend(place.voice().model.stream(prompt("tell me")))
        assert "".join(pieces).startswith("The disk")

    def test_before_the_first_piece_the_next_model_is_asked(self, place: Place, mock: Mock) -> None:
        other, model = ("gemini", "gemini-3.5-flash-lite") if place.provider == "openai" else ("openai", "gpt-4o-mini")
        mock.teach("tell me", status=500, model=place.model)
        mock.teach("tell me", "It is full.", model=model)
        assert "".join(place.voice(order=(place.provider, other)).model.stream(prompt("tell me"))) == "It is full."

    def test_a_stream_that_stalls_is_given_up(self, place: Place, mock: Mock) -> None:
        mock.teach("tell me", "one two three four five six", chunkSize=4, latency=20_000)
        with pytest.raises(Unavailable, match=r"in time|in the middle"):
            list(place.voice(language_model_timeout_seconds=0.4).model.stream(prompt("tell me")))

    def test_whoever_stops_reading_is_charged_for_what_was_sent(self, place: Place, mock: Mock) -> None:
        mock.teach("tell me", "The disk of node seven is full. " * 50, chunkSize=10)
        voice = place.voice()
        reading = voice.model.stream(prompt("tell me"))
        next(reading)
        reading.close()  # type: ignore[attr-defined]
        (used,) = voice.usage.report().today
        assert (used.calls, used.failures) == (1, 0)
        assert used.tokens > 0
        assert voice.model.available

    def test_no_budget_no_stream(self, place: Place, mock: Mock) -> None:
        voice = place.voice(language_model_daily_tokens=10)
        with pytest.raises(Unavailable, match="budget is used up"):
            list(voice.model.stream(prompt("tell me")))
        assert mock.received() == []


def until(holds: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.02)
