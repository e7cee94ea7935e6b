"""A digest fits into Slack's limits, however much happened and whatever it holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.cards import draw
from bot.cards.blocks import line_chart
from bot.cards.digest import pages
from bot.sandbox.slack.blockkit import judge_blocks
from bot.sandbox.slack.reading import visible_text
from pipelines.digest.values import (
    Digest,
    DigestOrder,
    DigestOrdered,
    DigestStatus,
    Figure,
    Line,
    NotPosted,
    Page,
    Point,
    Section,
    Subscription,
    Trend,
)
from pipelines.digest.wording import parse_rhythm

NOW = datetime(2026, 3, 27, 8, 0, tzinfo=UTC)
ORDER = DigestOrder("C0ML", NOW, NOW - timedelta(days=1), next_at=NOW + timedelta(days=3))
HOSTILE = "<!channel> <https://evil.example|click> *bold* `code` & \u202e" + "&<>" * 60
RETRAINS = Section(
    "Retrains", "2 retrains ended: 1 new champion, 1 failed",
    (
        Line("churn: version 4 is the new champion", "good", (Figure("roc_auc", 0.831, 0.822),), "https://x.example/1"),
        Line("tumour failed: no rows", "bad", at=NOW),
    ),
)  # fmt: skip
TREND = Trend("churn", "roc_auc", (Point("v3", 0.822), Point("v4", 0.831)))
MODELS = Section("Models", "1 model; the oldest champion is churn, 3 days old", (Line("churn"),), (TREND,), news=False)


def digest(*sections, **changes):
    return Digest(replace(ORDER, **changes), NOW, sections, "2 retrains ended.")


def shown(value) -> str:
    blocks = list(draw(value).blocks)
    assert judge_blocks(blocks, "message") == []
    assert draw(value).text
    return visible_text({"blocks": blocks})


def steering(part) -> list[str]:
    """Marks of foreign text that Slack would act upon."""
    if isinstance(part, dict):
        own = part["text"] if part.get("type") == "mrkdwn" else ""
        found = [mark for mark in ("<!channel>", "<https://evil") if mark in own]
        return found + [mark for value in part.values() for mark in steering(value)]
    return [mark for member in part for mark in steering(member)] if isinstance(part, (list, tuple)) else []


def test_the_headline_holds_one_line_a_section_and_the_details_stand_in_the_thread():
    value = digest(RETRAINS, MODELS)
    text = shown(value)
    assert "2 retrains ended: 1 new champion, 1 failed" in text
    assert "version 4" not in text
    assert "Since 2026-03-26 08:00 UTC" in text
    assert "Next 2026-03-30 08:00 UTC" in text
    (page,) = pages(value)
    details = shown(page)
    assert "churn: version 4 is the new champion · ROC AUC 0.831 (▲ 0.009) · open" in details
    assert "churn: ROC AUC by version" in details


def test_a_sentence_of_a_language_model_says_whose_it_is():
    text = shown(replace(digest(RETRAINS), written_by="openai gpt-4o-mini"))
    assert "First sentence by openai gpt-4o-mini; the rest is counted" in text


def test_a_quiet_day_is_one_line():
    quiet = replace(digest(MODELS), sentence="Nothing happened.")
    assert len(draw(quiet).blocks) == 2
    assert pages(quiet) == ()
    assert "Nothing happened. Models: 1 model; the oldest champion is churn, 3 days old." in shown(quiet)


def test_missed_digests_are_told_of():
    last = NOW - timedelta(days=1)
    one = shown(digest(RETRAINS, missed=1, last_missed=last))
    assert "The digest of 2026-03-26 08:00 UTC was missed" in one
    assert "7 digests, the last of 2026-03-26 08:00 UTC, were missed" in shown(
        digest(RETRAINS, missed=7, last_missed=last)
    )


def test_a_huge_digest_is_split_over_the_thread_and_nothing_of_it_is_lost():
    sections = tuple(
        Section(f"Part {part}", "much", tuple(Line(f"part {part} entry {entry} {'x' * 200}") for entry in range(60)),
                (TREND,) * 3, left_out=5 if part else 0)
        for part in range(6)
    )  # fmt: skip
    found = pages(digest(*sections))
    texts = [shown(page) for page in found]
    assert 1 < len(found) <= 12
    for part in range(6):
        assert all(sum(f"part {part} entry {entry} x" in text for text in texts) == 1 for entry in range(60))
    assert sum(text.count("and 5 more") for text in texts) == 5
    assert shown(digest(*sections))


def test_foreign_text_is_inert_and_fits_however_it_is_escaped():
    lines = tuple(Line(HOSTILE, url=f"https://x.example/|{'y' * 400}>", when=HOSTILE[:40], at=NOW) for _ in range(60))
    trend = Trend(HOSTILE, "roc_auc", (Point("v" * 30, 1.0), Point("w", 2.0)))
    section = Section(HOSTILE[:50], HOSTILE, lines, (trend,))
    value = replace(digest(section), sentence=HOSTILE, written_by=HOSTILE)
    for one in (value, *pages(value)):
        shown(one)
        assert steering(list(draw(one).blocks)) == []
        assert "<!channel>" not in draw(one).text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x.example/" + "y" * 700, ""])
def test_an_address_that_is_none_or_too_long_is_left_out(url):
    assert "open" not in shown(Page((Section("T", "s", (Line("text", url=url),)),)))


def test_sections_without_details_make_no_page():
    assert pages(digest(Section("Models", "Could not be looked at."))) == ()
    assert pages(digest()) == ()


def test_a_line_chart_is_what_slack_takes():
    names = [f"version {number} of the model" for number in range(3)]
    block = line_chart("A title" * 20, names, [("ROC AUC", [0.1, 0.2, 0.3]), ("F1", [1, 2, 3])], "metric")
    assert judge_blocks([block], "message") == []
    assert block["chart"]["type"] == "line"


def test_status_says_when_who_and_about_what():
    rhythm = parse_rhythm("weekdays 9:00 Europe/Berlin", "UTC")
    mine = Subscription("C0ML", rhythm, "silent", "U1", "Ana <Lima>")
    text = shown(DigestStatus("C0ML", mine, NOW, ("churn", "tumour")))
    assert "weekdays at 09:00 (Europe/Berlin)" in text
    assert "subscribed by Ana <Lima> · on a quiet day nothing · about churn, tumour" in text
    fixed = shown(DigestStatus("C0ML", Subscription("C0ML", rhythm), NOW, tuple(f"m{n}" for n in range(500))))
    assert "from the catalogue" in fixed
    assert "and 488 more" in fixed
    assert "gets no digest any more" in shown(DigestStatus("C0ML", None, None, (), "unsubscribed"))
    assert "/digest subscribe weekdays 09:00" in shown(DigestStatus("C0ML", None, None, ()))


def test_the_smaller_answers_are_cards_too():
    assert "in a moment" in shown(DigestOrdered("C0ML"))
    assert "not in that channel" in shown(NotPosted("C0ML", NOW, "I am not in that channel."))
