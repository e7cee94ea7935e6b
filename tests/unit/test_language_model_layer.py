"""The parts of the language-model layer, each by itself; on the wire they are under contract in tests/contracts."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from bot.clients.language_models.bounded import Deadline, bounded, bounded_stream
from bot.clients.language_models.breaker import Breaker
from bot.clients.language_models.budget import Budget
from bot.clients.language_models.building import build_language_model
from bot.clients.language_models.chain import ChainLimits, LanguageModelChain
from bot.clients.language_models.guarded import GuardedProvider, Patience
from bot.clients.language_models.meter import Meter
from bot.clients.language_models.prices import Price, listed_prices, price_of
from bot.clients.language_models.provider import Answer, ProviderFault, Request, Tokens, fault_of_status, seconds_of
from bot.clients.language_models.structure import Unreadable, read_answer, strict_schema
from bot.clients.language_models.tracing import MlflowTracing, NoTracing
from bot.clients.ledger import Ledger
from bot.clients.ledger_usage import Spending, Use
from bot.config import Settings, SettingsError, load_settings
from bot.redaction import Redactor
from bot.telemetry import Telemetry
from pipelines.errors import Unavailable
from pipelines.prompts import Prompt

QUICK = Patience(attempts=2, first_wait_seconds=0.001, longest_wait_seconds=0.002)
NO_LIMIT = Spending()
PROMPT = Prompt("ask", "Answer.", "What is it?")


class Cause(BaseModel):
    text: str
    lines: list[int] = Field(default_factory=list, max_length=5)


class Report(BaseModel):
    """A report."""

    summary: str = Field(min_length=1, max_length=200, description="One sentence.")
    causes: list[Cause] = []
    severity: str | None = None


OFFLINE = Report(summary="extracted")


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 23, 23, 59, tzinfo=UTC)


class Scripted:
    """A provider that does what the test says; counts how many ask at once."""

    name = "scripted"
    model = "m"

    def __init__(self, *turns: Any, pause: float = 0, together: int = 0) -> None:
        self.turns = list(turns)
        self.pause = pause
        self.together = together  # so many are waited for before anybody is answered
        self.enough = threading.Event()
        self.at_once = self.most_at_once = 0
        self.asked: list[Request] = []
        self._lock = threading.Lock()

    def ask(self, request: Request) -> Answer:
        with self._lock:
            self.asked.append(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if self.at_once >= self.together:
                self.enough.set()
        assert self.enough.wait(60)
        time.sleep(self.pause)
        with self._lock:
            self.at_once -= 1
            turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, ProviderFault):
            raise turn
        return Answer(turn, Tokens(10, 5))

    def stream(self, _request: Request) -> Iterator[str | Tokens]:
        yield from self.turns

    def warm(self) -> None: ...

    def check(self) -> None: ...


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite", Clock())
    yield opened
    opened.close()


@pytest.fixture
def chain(ledger: Ledger) -> Any:
    def make(
        *providers: Scripted, limit: Spending = NO_LIMIT, tracing: Any = None, **limits: Any
    ) -> LanguageModelChain:
        budget = Budget(ledger.usage, Clock(), limit, ())
        metrics = Telemetry().language_models
        meter = Meter(budget, {"m": Price(1.0, 2.0)}, metrics, tracing or NoTracing())
        guarded = [GuardedProvider(provider, meter, QUICK) for provider in providers]
        return LanguageModelChain(guarded, Redactor(), budget, metrics, ChainLimits(**limits))

    return make


GOOD = '{"summary": "It is the disk."}'


class TestOffline:
    def test_with_no_key_nothing_is_asked_and_nothing_is_missing(self, tmp_path: Path, ledger: Ledger) -> None:
        voice = build_language_model(Settings(data_dir=tmp_path), ledger, Telemetry(), Redactor(), Clock())
        done = voice.model.complete(PROMPT, Report, lambda: OFFLINE)
        assert (done.value, done.source, done.notice) == (OFFLINE, "offline", "")
        assert voice.model.available is False
        with pytest.raises(Unavailable, match="none is configured"):
            voice.model.stream(PROMPT)
        assert voice.usage.report().models == ()

    def test_what_goes_wrong_in_the_offline_answer_is_not_hidden(self, chain: Any) -> None:
        def broken() -> Report:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            chain(Scripted(ProviderFault("forbidden", "no"))).complete(PROMPT, Report, broken)


class TestChain:
    def test_no_more_are_asked_at_once_than_the_limit(self, chain: Any) -> None:
        provider = Scripted(GOOD, pause=0.05, together=2)
        model = chain(provider, at_once=2)
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _: model.complete(PROMPT, Report, lambda: OFFLINE), range(8)))
        assert {each.source for each in done} == {"scripted m"}
        assert provider.most_at_once == 2

    def test_whoever_waits_too_long_for_a_turn_is_told(self, chain: Any) -> None:
        provider = Scripted(GOOD, pause=1.5)
        model = chain(provider, at_once=1, deadline_seconds=0.4, timeout_seconds=5)
        with ThreadPoolExecutor(2) as pool:
            notices = [
                each.notice for each in pool.map(lambda _: model.complete(PROMPT, Report, lambda: OFFLINE), range(2))
            ]
        assert all(notice.startswith("Written without a language model") for notice in notices)

    def test_a_mistake_of_ours_is_not_taken_for_the_models(self, chain: Any) -> None:
        class Broken(Scripted):
            def ask(self, request: Request) -> Answer:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            chain(Broken(GOOD)).complete(PROMPT, Report, lambda: OFFLINE)

    def test_no_budget_race_is_won_twice(self, chain: Any) -> None:
        provider = Scripted(GOOD, pause=0.02)
        model = chain(provider, limit=Spending(tokens=100), output_tokens=60, at_once=8)
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _: model.complete(PROMPT, Report, lambda: OFFLINE), range(8)))
        assert provider.most_at_once == 1  # two reservations of more than sixty do not fit below a hundred
        assert any("budget is used up" in each.notice for each in done)

    def test_a_model_that_is_refused_by_policy_is_passed_over_without_blame(self, chain: Any) -> None:
        silent, other = Scripted(ProviderFault("silent", "it declined to answer")), Scripted(GOOD)
        model = chain(silent, other)
        for _ in range(4):
            assert model.complete(PROMPT, Report, lambda: OFFLINE).source == "scripted m"
        assert len(silent.asked) == 4

    def test_a_stream_is_cut_at_its_longest_and_cleaned(self, chain: Any) -> None:
        pieces = list(chain(Scripted("a\u202eb", *["x" * 10_000] * 20, Tokens(1, 1))).stream(PROMPT))
        assert pieces[0] == "ab"
        assert len("".join(pieces)) == 60_000

    def test_the_database_away_means_no_model_and_no_failure(self, chain: Any, ledger: Ledger, tmp_path: Path) -> None:
        (tmp_path / "ledger.sqlite").mkdir()
        done = chain(Scripted(GOOD)).complete(PROMPT, Report, lambda: OFFLINE)
        assert done.value == OFFLINE
        assert "the budget cannot be looked up" in done.notice


class TestBreaker:
    def test_it_opens_after_some_failures_in_a_row_and_lets_one_probe_through(self) -> None:
        at = [0.0]
        breaker = Breaker(failures=2, open_seconds=30, now=lambda: at[0])
        breaker.failed()
        breaker.succeeded()
        breaker.failed()
        assert breaker.enter()
        breaker.failed()
        assert not breaker.enter()
        at[0] = 30
        assert breaker.admits
        assert breaker.enter()
        assert not breaker.enter()  # the probe is under way
        breaker.failed()
        assert not breaker.admits
        at[0] = 61
        assert breaker.enter()
        breaker.succeeded()
        assert breaker.enter()
        assert breaker.enter()

    def test_a_probe_that_never_ends_does_not_close_it_for_good(self) -> None:
        at = [0.0]
        breaker = Breaker(failures=1, open_seconds=30, now=lambda: at[0])
        breaker.failed()
        at[0] = 30
        assert breaker.enter()
        at[0] = 60
        assert breaker.enter()

    def test_who_asks_to_be_left_alone_is(self) -> None:
        at = [0.0]
        breaker = Breaker(failures=5, open_seconds=30, now=lambda: at[0])
        breaker.failed(for_seconds=600)
        at[0] = 599
        assert not breaker.admits
        at[0] = 600
        assert breaker.admits


class TestBounds:
    def test_a_call_that_drips_for_ever_is_left_behind(self) -> None:
        forever = threading.Event()
        with pytest.raises(ProviderFault, match="in time"):
            bounded(lambda: forever.wait(60), Deadline(0.1, threading.Event()))
        forever.set()

    def test_its_errors_are_the_callers(self) -> None:
        with pytest.raises(KeyError):
            bounded(lambda: {}["x"], Deadline(60, threading.Event()))

    def test_nothing_begins_when_the_time_is_over(self) -> None:
        begun: list[int] = []
        with pytest.raises(ProviderFault):
            bounded(lambda: begun.append(1), Deadline(0, threading.Event()))
        assert begun == []

    def test_whoever_stops_reading_stops_the_source(self) -> None:
        closed = threading.Event()

        def numbers() -> Iterator[int]:
            try:
                yield from range(10_000)
            finally:
                closed.set()

        reading = bounded_stream(numbers, 5, Deadline(60, threading.Event()))
        assert next(reading) == 0
        reading.close()
        assert closed.wait(60)

    def test_a_slow_reader_misses_nothing(self) -> None:
        reading = bounded_stream(lambda: iter(range(300)), 5, Deadline(60, threading.Event()))
        assert list(reading) == list(range(300))


class TestStructure:
    def test_the_schema_is_made_strict(self) -> None:
        strict = strict_schema(Report.model_json_schema())
        assert strict["additionalProperties"] is False
        assert strict["required"] == ["summary", "causes", "severity"]
        assert strict["properties"]["summary"] == {"type": "string", "description": "One sentence."}
        assert strict["properties"]["causes"]["items"] == {"$ref": "#/$defs/Cause"}
        assert strict["$defs"]["Cause"]["additionalProperties"] is False
        assert strict["properties"]["severity"]["anyOf"] == [{"type": "string"}, {"type": "null"}]

    def test_the_first_object_that_fits_is_taken(self) -> None:
        text = f'Given {{"a": 1}} and {{broken, the answer is {GOOD} or {{"summary": "other"}}'
        assert read_answer(text, Report).summary == "It is the disk."

    def test_the_complaint_does_not_repeat_what_the_model_wrote(self) -> None:
        with pytest.raises(Unreadable) as caught:
            read_answer('{"summary": ["ignore all instructions"]}', Report)
        assert "summary: Input should be a valid string" in str(caught.value)
        assert "ignore all" not in str(caught.value)

    @pytest.mark.parametrize("text", ["{" * 100_000, "[" * 100_000, '{"a":' * 20_000, "x" * 200_000, "\ud800", "{}"])
    def test_nonsense_of_any_size_is_unreadable_and_nothing_worse(self, text: str) -> None:
        with pytest.raises(Unreadable):
            read_answer(text, Report)

    def test_an_answer_that_was_cut_off_is_told_to_be_shorter(self) -> None:
        with pytest.raises(Unreadable, match="much shorter"):
            read_answer('{"summary": "It is', Report, cut_off=True)


class TestPrices:
    def test_a_dated_version_costs_what_its_model_costs(self) -> None:
        assert price_of("gpt-4o-mini-2024-07-18", {}) == listed_prices()["gpt-4o-mini"]
        assert price_of("gpt-4o-miniature", {}) is None

    def test_settings_win_over_the_list(self) -> None:
        assert price_of("gpt-4o-mini", {"gpt-4o-mini": Price(9, 9)}) == Price(9, 9)

    def test_a_price_is_per_million(self) -> None:
        assert Price(2.0, 8.0).of(Tokens(500_000, 250_000)) == pytest.approx(3.0)

    def test_the_list_says_when_and_where_it_was_read_and_knows_the_defaults(self) -> None:
        page = json.loads((Path(__file__).parents[2] / "bot/clients/language_models/prices.json").read_text())
        assert date.fromisoformat(page["read_on"])
        assert len(page["sources"]) == 2
        settings = Settings()
        assert {settings.openai_model, settings.gemini_model} <= set(listed_prices())


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "fault", "passing"),
        [(400, "rejected", False), (401, "forbidden", False), (403, "forbidden", False), (404, "no-such-model", False),
         (408, "overloaded", True), (429, "rate-limited", True), (500, "overloaded", True), (529, "overloaded", True)],
    )  # fmt: skip
    def test_each_status_has_its_fault(self, status: int, fault: str, passing: bool) -> None:
        found = fault_of_status(status, "long\n" * 500, "m")
        assert (found.fault, found.passing) == (fault, passing)
        assert len(found.reason) < 300

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("2", 2.0), ("1.5", 1.5), (None, None), ("", None), ("-1", None), ("inf", None), ("nan", None),
         ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
    )  # fmt: skip
    def test_retry_after_is_read_with_care(self, header: str | None, seconds: float | None) -> None:
        assert seconds_of(header) == seconds


class TestSettings:
    def test_by_default_whatever_has_a_key_is_asked(self) -> None:
        assert Settings().chosen_language_models == ()
        assert Settings(openai_api_key="x").chosen_language_models == ("openai",)
        assert Settings(gemini_api_key="x", openai_api_key="x").chosen_language_models == ("openai", "gemini")

    def test_an_address_of_ones_own_needs_no_key(self) -> None:
        assert Settings(openai_base_url="http://127.0.0.1:11434/v1/").chosen_language_models == ("openai",)

    def test_an_order_that_is_set_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHIPMATE_LANGUAGE_MODELS", " Gemini, openai ,gemini")
        monkeypatch.setenv("OPENAI_API_KEY", "x")
        assert load_settings().chosen_language_models == ("gemini", "openai")

    def test_offline_asks_nobody_although_there_is_a_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHIPMATE_LANGUAGE_MODELS", "offline")
        monkeypatch.setenv("GOOGLE_API_KEY", "x")
        settings = load_settings()
        assert settings.gemini_api_key is not None
        assert settings.chosen_language_models == ()

    @pytest.mark.parametrize(
        ("name", "value", "complaint"),
        [("SHIPMATE_LANGUAGE_MODELS", "openai,claude", "must be"),
         ("SHIPMATE_LANGUAGE_MODELS", "offline,openai", "stands alone"),
         ("SHIPMATE_LANGUAGE_MODEL_PRICES", "m=cheap", "must read model=INPUT/OUTPUT"),
         ("SHIPMATE_LANGUAGE_MODEL_PRICES", "m=-1/2", "must read model=INPUT/OUTPUT"),
         ("OPENAI_BASE_URL", "localhost:8000", "must begin with")],
    )  # fmt: skip
    def test_mistakes_are_told(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, complaint: str) -> None:
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=complaint):
            load_settings()

    def test_prices_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHIPMATE_LANGUAGE_MODEL_PRICES", "my-model=0.2/0.8, other = 0/0")
        assert load_settings().language_model_prices == {"my-model": (0.2, 0.8), "other": (0.0, 0.0)}


class TestTracing:
    @pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's, about its own code
    def test_a_call_becomes_a_trace_without_secrets(self, chain: Any, tmp_path: Path) -> None:
        import mlflow

        uri = f"sqlite:///{tmp_path}/mlflow.sqlite"
        prompt = Prompt("triage", "Explain.", "key AKIAIOSFODNN7EXAMPLE")
        chain(Scripted(GOOD), tracing=MlflowTracing(uri, str(tmp_path / "files"))).complete(
            prompt, Report, lambda: OFFLINE
        )
        mlflow.flush_trace_async_logging(terminate=True)
        client = mlflow.MlflowClient(tracking_uri=uri)
        experiment = client.get_experiment_by_name("shipmate-language-models")
        assert experiment is not None
        (trace,) = client.search_traces(locations=[experiment.experiment_id])
        (span,) = trace.data.spans
        assert span.name == "triage m"
        assert span.attributes["output_tokens"] == 5
        assert "AKIA" not in json.dumps(span.inputs)
        assert span.outputs == {"text": GOOD}
        assert experiment.artifact_location == f"{tmp_path}/files/shipmate-language-models"

    def test_without_mlflow_the_call_goes_on_untraced(self, chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # as the bot sets it
        tracing = MlflowTracing("http://127.0.0.1:9", "")
        done = chain(Scripted(GOOD), tracing=tracing).complete(PROMPT, Report, lambda: OFFLINE)
        assert done.notice == ""


def test_building_the_bot_imports_no_client_of_a_language_model() -> None:
    import subprocess
    import sys

    script = (
        "import sys, bot.app; print([name for name in sys.modules if name in ('openai', 'google.genai', 'mlflow')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_usage_is_added_up_over_days_features_and_models(ledger: Ledger) -> None:
    for day, feature, model, failed in ((21, "ask", "a", False), (23, "ask", "b", True), (23, "drift", "a", False)):
        use = Use(date(2026, 11, day), feature, "p", model, failed, 100, 10, 0.5, 2.0)
        assert ledger.usage.reserve(use.day, Spending(500, 1.0), Spending())
        ledger.usage.settle(Spending(500, 1.0), use)
    ask, drift = ledger.usage.by_feature(date(2026, 11, 20), date(2026, 11, 23))
    assert (ask.feature, ask.calls, ask.failures, ask.tokens, ask.cost_dollars) == ("ask", 2, 1, 220, 1.0)
    assert drift.calls == 1
    assert ledger.usage.spent(date(2026, 11, 23)) == Spending(220, 1.0)
    assert ledger.usage.spent(date(2026, 11, 24)) == Spending()
