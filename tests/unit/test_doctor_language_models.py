import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.config import Settings
from bot.doctor.findings import Finding, run_checks
from bot.doctor.language_models import language_model_checks


class Catalogue:
    """Answers both makers' questions for models with `status`; keeps the paths that were asked."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[str] = []
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place.asked.append(self.path)
                known: dict[str, Any] = {"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model"}]}
                if "gemini" in self.path:
                    known = {"name": "models/gemini-3.5-flash-lite"}
                status = 404 if "gemini-none" in self.path else place.status
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                body = known if status == 200 else {"error": {"message": "no", "code": status, "status": "NO"}}
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def catalogue() -> Iterator[Catalogue]:
    made = Catalogue()
    yield made
    made.close()


def examined(catalogue: Catalogue, tmp_path: Path, **changes: Any) -> tuple[Finding, ...]:
    settings = {
        "data_dir": tmp_path, "openai_base_url": f"{catalogue.url}/v1", "gemini_base_url": catalogue.url,
        "openai_api_key": "sk-x", "gemini_api_key": "x",
    } | changes  # fmt: skip
    return run_checks(language_model_checks(Settings(**settings)), 30)


def test_with_none_configured_there_is_one_good_line(tmp_path: Path) -> None:
    (found,) = run_checks(language_model_checks(Settings(data_dir=tmp_path)))
    assert (found.level, found.text) == ("ok", "offline: reports come from signatures and extraction")


def test_each_configured_model_has_a_line(catalogue: Catalogue, tmp_path: Path) -> None:
    found = examined(catalogue, tmp_path)
    assert [(each.check, each.level) for each in found] == [("openai", "ok"), ("gemini", "ok")]
    assert "gpt-4o-mini is there" in found[0].text
    assert catalogue.asked == ["/v1/models", "/v1beta/models/gemini-3.5-flash-lite"] or len(catalogue.asked) == 2


def test_a_key_that_is_refused_is_told(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.status = 401
    for each in examined(catalogue, tmp_path):
        assert each.level == "problem"
        assert "refused the key (401)" in each.text
        assert "Is the key right" in each.advice


def test_a_model_that_is_not_there_is_told_with_those_that_are(catalogue: Catalogue, tmp_path: Path) -> None:
    openai, gemini = examined(catalogue, tmp_path, openai_model="gpt-none", gemini_model="gemini-none")
    assert "knows no model gpt-none, but gpt-4o-mini" in openai.text
    assert "knows no model gemini-none" in gemini.text


def test_a_key_that_is_missing_is_named_and_nobody_is_asked(catalogue: Catalogue, tmp_path: Path) -> None:
    (found,) = examined(catalogue, tmp_path, language_models=("gemini",), gemini_api_key=None)
    assert found.text == "GEMINI_API_KEY is not set"
    assert catalogue.asked == []


def test_nobody_at_the_address_is_told(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.close()
    for each in examined(catalogue, tmp_path):
        assert "cannot be reached" in each.text
        assert "Is the address right" in each.advice


def test_an_unknown_price_is_a_warning_because_the_budget_in_dollars_cannot_hold(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.doctor.language_models.price_of", lambda *_: None)
    found = examined(catalogue, tmp_path, language_models=("openai",))
    assert [each.level for each in found] == ["ok", "warning"]
    assert "SHIPMATE_LANGUAGE_MODEL_PRICES=gpt-4o-mini=" in found[1].advice
    assert len(examined(catalogue, tmp_path, language_models=("openai",), language_model_daily_dollars=0)) == 1


def test_the_legacy_package_that_is_missing_is_told_plainly(catalogue: Catalogue, tmp_path: Path) -> None:
    (found,) = examined(catalogue, tmp_path, language_models=("google-generativeai",))
    assert found.level == "problem"
    assert "install shipmate[google-generativeai]" in found.text
