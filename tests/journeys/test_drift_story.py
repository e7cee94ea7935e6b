"""Drift is seen, a retrain is proposed with its exact plan, approved, done, and it is told whether it went away."""

import pytest
from drifting import TRAINED, shifted

HEAVY = shifted(1.6)


@pytest.fixture
def watched(watched_ship):
    return watched_ship


def alarmed(watched):
    """Three days of moved inputs, and the message that tells of them, with its plan."""
    watched.serve_back(72, HEAVY)
    watched.look()
    card = watched.message("Retrain tumour?")
    return watched.becomes(card, "The retrain that would be done")


def test_a_p0_shows_evidence_and_the_exact_plan_and_an_approved_retrain_is_done_in_its_thread(watched):
    watched.clock.time += watched.clock.time.resolution
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    card = watched.becomes(watched.message("Retrain tumour?"), "The retrain that would be done")
    for shown in ("Data drift, P0", "Since", "Affected", "569 rows", "F1", "beside the bot", "Edit…", "Snooze"):
        assert shown in card.plain, shown
    watched.space.press(card, "Approve retrain", as_=watched.ana)
    watched.promote(card)
    done = watched.becomes(card, "version 2 is the new champion", TRAINED)
    assert "Approved by Ana Lima" in done.plain
    assert done.button("Approve retrain") is None
    said = watched.told(done, "Version 2 is the new champion")
    assert "Retrain approved by Ana Lima" in said
    assert len(watched.messages()) == 1
