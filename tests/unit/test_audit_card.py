"""/audit: what people did, drawn so that nothing in it has an effect."""

from datetime import UTC, datetime

from bot.cards import draw
from bot.sandbox.slack.blockkit import judge_blocks
from pipelines.audit import GENESIS, AuditEntry, AuditPage, AuditRow

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOSTILE = "<!channel> https://evil.example `\n:white_check_mark:" + "x" * 9_000


def row(number, **entry):
    values = {"actor": "Ana Lima", "action": "drift snoozed", "subject": "churn", "detail": {}}
    return AuditRow(number, AuditEntry(NOW, **(values | entry)), GENESIS, GENESIS)


def shown(page):
    card = draw(page)
    assert judge_blocks(list(card.blocks), "message") == []
    return str(card.blocks)


def test_each_line_says_who_did_what_and_what_they_chose_or_said():
    rows = (row(2, action="retrain rejected", detail={"reason": "The campaign ends"}), row(1, detail={"span": "1 day"}))
    text = shown(AuditPage(rows))
    assert "*Ana Lima* · retrain rejected · churn because “The campaign ends”" in text
    assert "drift snoozed · churn for “1 day”" in text
    assert text.index("rejected") < text.index("snoozed")


def test_an_empty_page_names_what_was_looked_for():
    assert "Nobody has done anything about “churn” yet" in shown(AuditPage((), "churn"))
    assert "Nobody has done anything yet" in shown(AuditPage(()))


def test_foreign_words_have_no_effect_and_twenty_of_the_longest_fit():
    said = {"reason": HOSTILE, "note": HOSTILE, "said": HOSTILE, "span": HOSTILE}
    text = shown(AuditPage(tuple(row(n, actor=HOSTILE, subject=HOSTILE, detail=said) for n in range(20)), HOSTILE))
    assert "<!channel>" not in text
    assert "https://evil.example" not in text
    assert ":white_check_mark:" not in text
    assert "19 · " in text
