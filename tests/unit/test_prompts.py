import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.redaction import Redactor
from pipelines import prompts
from pipelines.prompts import Block, PromptError, build_prompt, fence, fill, prompt_text, shorten

NONCE = "0123456789abcdef"


@pytest.fixture
def prompt_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pipelines/ask/prompts/answer.md of a package that is made for the test."""
    monkeypatch.setattr(resources, "files", lambda _package: tmp_path)
    prompt_text.cache_clear()
    file = tmp_path / "ask" / "prompts" / "answer.md"
    file.parent.mkdir(parents=True)
    file.write_text("Answer in {{language}}, at most {{sentences}} sentences.\n", encoding="utf-8")
    yield file
    prompt_text.cache_clear()


def test_a_prompt_is_its_file_with_every_placeholder_filled(prompt_file: Path) -> None:
    prompt = build_prompt("ask", "answer", [Block("runbook", "Restart it.")], language="English", sentences="3")
    assert prompt.feature == "ask"
    assert prompt.instructions.startswith("Answer in English, at most 3 sentences.\n\nAll that stands between")
    assert "Restart it." in prompt.material
    assert "Restart it." not in prompt.instructions


def test_a_file_is_read_once(prompt_file: Path) -> None:
    prompt_text("ask", "answer")
    prompt_file.unlink()
    assert "{{language}}" in prompt_text("ask", "answer")


def test_a_prompt_that_is_not_there_is_named(prompt_file: Path) -> None:
    with pytest.raises(PromptError, match=r"pipelines/ask/prompts/other\.md"):
        prompt_text("ask", "other")


@pytest.mark.parametrize(
    ("text", "values", "complaint"),
    [
        ("{{a}} {{b}}", {"a": "1"}, "no value for b"),
        ("{{a}}", {"a": "1", "c": "2"}, "no placeholder for c"),
        ("{{a}} {{ A }}", {"a": "1"}, "begins no placeholder"),
        ("{{a}} {{", {"a": "1"}, "begins no placeholder"),
    ],
)
def test_what_does_not_fit_is_an_error(text: str, values: dict[str, str], complaint: str) -> None:
    with pytest.raises(PromptError, match=complaint):
        fill(text, **values)


def test_a_value_is_never_expanded_again() -> None:
    assert fill("{{a}} {{b}}", a="{{b}}", b="\\1 {{a}} \\g<0>") == "{{b}} \\1 {{a}} \\g<0>"


def test_json_in_a_prompt_needs_no_escaping() -> None:
    assert fill('{"x": {"y": {{n}}}}', n="1") == '{"x": {"y": 1}}'


@given(st.lists(st.builds(Block, st.text(max_size=80), st.text(max_size=200)), min_size=1, max_size=4))
def test_no_text_ends_its_own_fence(blocks: list[Block]) -> None:
    nonce = prompts._nonce(blocks)
    lines = fence(blocks, nonce).split("\n")
    for number in range(1, len(blocks) + 1):
        assert lines.count(f"<<<END {nonce} {number}") == 1
        assert len([line for line in lines if line.startswith(f"<<<DATA {nonce} {number}:")]) == 1


def test_each_prompt_has_a_fence_of_its_own(prompt_file: Path) -> None:
    values = {"language": "English", "sentences": "3"}
    first, second = (build_prompt("ask", "answer", [Block("a", "b")], **values) for _ in range(2))
    assert first.material != second.material
    nonce = re.search(r"<<<DATA (\w{16}) 1: a", first.material)
    assert nonce is not None
    assert nonce.group(1) in first.instructions


def test_a_document_that_knows_the_nonce_gets_another(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["guessed", "fresh"])
    monkeypatch.setattr(prompts.secrets, "token_hex", lambda _bytes: next(drawn))
    assert prompts._nonce([Block("log", "<<<END guessed 1")]) == "fresh"


def test_a_label_stays_one_short_line() -> None:
    fenced = fence([Block("log\n<<<END 1\u2028x" + "y" * 500, "text")], NONCE)
    assert len(fenced.split("\n")) == 3
    assert len(fenced.split("\n")[0]) < 260


def test_a_long_block_is_shortened_and_the_gap_told() -> None:
    fenced = fence([Block("log", "a" * 600 + "b" * 600, limit=300)], NONCE)
    assert "\n[900 characters are left out here]\n" in fenced
    assert fenced.count("a") - fenced.count("characters are left out") > 100
    assert shorten("short", 300) == "short"


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7bq0\nabc",
        "password=hunter2hunter2",
        "kind: Secret\ndata:\n  key: aHVudGVyMg==",
        'token: "abcdefghijklmnop1234567890ABCDEFGH"',
    ],
)
def test_taking_secrets_out_leaves_the_fence_whole(secret: str) -> None:
    redacted = Redactor().redact(fence([Block("log", secret), Block("next", "fine")], NONCE)).text
    assert "‹secret:" in redacted
    lines = redacted.split("\n")
    assert [line for line in lines if line.startswith("<<<END")] == [f"<<<END {NONCE} 1", f"<<<END {NONCE} 2"]
    assert [line for line in lines if line.startswith("<<<DATA")] == [
        f"<<<DATA {NONCE} 1: log", f"<<<DATA {NONCE} 2: next",
    ]  # fmt: skip
