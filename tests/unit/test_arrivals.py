"""Acknowledgements go first."""

import threading

import pytest

from bot import arrivals
from bot.arrivals import Arrivals


def begins(arriving):
    """Whether work begins."""
    worker = threading.Thread(target=arriving.let_through, daemon=True)
    worker.start()
    worker.join(60)
    return not worker.is_alive()


def test_work_begins_at_once_when_nothing_waits_for_its_acknowledgement(monkeypatch):
    monkeypatch.setattr(arrivals, "LONGEST_WAIT_SECONDS", 600.0)
    assert begins(Arrivals())


def test_work_waits_for_the_last_acknowledgement(monkeypatch):
    monkeypatch.setattr(arrivals, "LONGEST_WAIT_SECONDS", 600.0)
    arriving, order = Arrivals(), []

    def work():
        arriving.let_through()
        order.append("work")

    with arriving.one():
        with arriving.one():
            worker = threading.Thread(target=work)
            worker.start()
        order.append("one acknowledged")
        worker.join(0.2)
        order.append("the other acknowledged")
    worker.join(60)
    assert order == ["one acknowledged", "the other acknowledged", "work"]


def test_of_a_storm_without_end_work_begins_all_the_same(monkeypatch):
    monkeypatch.setattr(arrivals, "LONGEST_WAIT_SECONDS", 0.05)
    arriving = Arrivals()
    with arriving.one():
        assert begins(arriving)


def test_a_payload_whose_handling_broke_holds_nobody_up(monkeypatch):
    monkeypatch.setattr(arrivals, "LONGEST_WAIT_SECONDS", 600.0)
    arriving = Arrivals()
    with pytest.raises(ValueError), arriving.one():
        raise ValueError
    assert begins(arriving)
