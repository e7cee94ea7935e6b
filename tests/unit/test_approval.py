"""The gate: who may, when, for exactly what, and that it settles once. On the bot's real memory."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.ledger import Ledger
from pipelines.approval import ApprovalDesk, ApprovalPolicy
from pipelines.audit import faults
from pipelines.errors import Refused
from pipelines.people import Person, Role

ANA, ADA = Person("U1", "Ana", Role.APPROVER), Person("U2", "Ada", Role.APPROVER)
BEN, VERA = Person("U3", "Ben", Role.ENGINEER), Person("U4", "Vera", Role.VIEWER)


@dataclass(frozen=True)
class Plan:
    model: str = "churn"
    rows: int = 50


@dataclass
class FrozenClock:
    at: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class Approvers:
    def person(self, user_id):
        return next(person for person in (ANA, ADA, BEN, VERA) if person.id == user_id)

    def holders(self, role_title):
        return ["<@U1>", "<@U2>"]


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def ledger(tmp_path, clock):
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", clock)
    yield made
    made.close()


@pytest.fixture
def desk(ledger, clock):
    return ApprovalDesk(ledger.approvals, Approvers(), clock)


def ask(desk, policy=None, requester=BEN, plan=None):
    return desk.request(
        approval_id="run-1", kind="retrain", subject="churn", summary="Retrain churn", plan=plan or Plan(),
        requester_id=requester.id, requester_name=requester.name, policy=policy or ApprovalPolicy(),
    )  # fmt: skip


def test_an_approver_approves_and_the_plan_is_confirmed(desk):
    ask(desk)
    assert desk.approve("run-1", ANA).state == "approved"
    assert desk.confirm("run-1", Plan()).settled_by == "Ana"


def test_asking_twice_under_one_id_is_one_request(desk, ledger):
    first = ask(desk)
    assert ask(desk, plan=Plan(rows=99)) == first
    assert len(list(ledger.audit.rows())) == 1


def test_nobody_approves_their_own_request(desk):
    ask(desk, requester=ANA)
    with pytest.raises(Refused, match=r"somebody else.*<@U1>"):
        desk.approve("run-1", ANA)


def test_the_catalogue_may_let_requesters_approve(desk):
    ask(desk, ApprovalPolicy(requester_may_approve=True), requester=ANA)
    assert desk.approve("run-1", ANA).state == "approved"


@pytest.mark.parametrize("person", [BEN, VERA])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_who_may_not_is_told_who_may(desk, person, verb):
    ask(desk)
    with pytest.raises(Refused, match=r"role approver.*<@U1>, <@U2>"):
        getattr(desk, verb)("run-1", person)


def test_two_people_are_two_people(desk):
    ask(desk, ApprovalPolicy(needed=2))
    assert desk.approve("run-1", ANA).state == "open"
    with pytest.raises(Refused, match="You approved this already; 1 more needed"):
        desk.approve("run-1", ANA)
    settled = desk.approve("run-1", ADA)
    assert (settled.state, settled.settled_by) == ("approved", "Ana and Ada")


def test_an_approval_is_for_the_plan_that_was_seen(desk):
    ask(desk)
    with pytest.raises(Refused, match="plan changed"):
        desk.approve("run-1", ANA, digest="0123456789abcdef")


def test_an_approval_is_for_the_plan_that_is_executed(desk):
    ask(desk)
    desk.approve("run-1", ANA)
    with pytest.raises(Refused, match="changed after it was approved"):
        desk.confirm("run-1", Plan(rows=51))


def test_what_is_open_is_not_approved(desk):
    ask(desk)
    with pytest.raises(Refused, match="open, not approved"):
        desk.confirm("run-1", Plan())


def test_an_unanswered_request_expires_and_is_never_a_yes(desk, clock):
    ask(desk)
    assert desk.expire_due() == []
    clock.at += timedelta(hours=24)
    with pytest.raises(Refused, match="expired"):
        desk.approve("run-1", ANA)
    assert [approval.state for approval in desk.expire_due()] == ["expired"]
    assert desk.expire_due() == []
    with pytest.raises(Refused, match="expired"):
        desk.approve("run-1", ANA)


@pytest.mark.parametrize(("person", "allowed"), [(BEN, True), (ANA, True), (VERA, False)])
def test_the_requester_or_an_approver_withdraws(desk, person, allowed):
    ask(desk)
    if allowed:
        assert desk.withdraw("run-1", person).state == "withdrawn"
    else:
        with pytest.raises(Refused, match="Only Ben or an approver"):
            desk.withdraw("run-1", person)


def test_what_has_settled_stays_settled(desk):
    ask(desk)
    desk.reject("run-1", ANA, "not today")
    for verb in (desk.approve, desk.reject, desk.withdraw):
        with pytest.raises(Refused, match="rejected by Ana already"):
            verb("run-1", ADA)


def test_an_unknown_request_is_refused(desk):
    with pytest.raises(Refused, match="no such request"):
        desk.approve("run-9", ANA)


def settle(act):
    try:
        return act().state
    except Refused:
        return None


@pytest.mark.parametrize("round_", range(5))
def test_of_many_at_once_exactly_one_settles_it(desk, ledger, round_):
    ask(desk)
    acts = [lambda: desk.approve("run-1", ANA), lambda: desk.reject("run-1", ADA), lambda: desk.withdraw("run-1", BEN)]
    with ThreadPoolExecutor(12) as crowd:
        outcomes = list(crowd.map(settle, acts * 4))
    won = [outcome for outcome in outcomes if outcome]
    assert len(won) == 1
    assert desk.get("run-1").state == won[0]
    rows = list(ledger.audit.rows())
    assert [row.entry.action for row in rows] == ["retrain requested", f"retrain {won[0]}"]
    assert faults(rows) == []


def test_votes_of_two_people_at_the_same_instant_both_count(desk):
    ask(desk, ApprovalPolicy(needed=2))
    with ThreadPoolExecutor(2) as both:
        states = list(both.map(lambda who: desk.approve("run-1", who).state, (ANA, ADA)))
    assert sorted(states) == ["approved", "open"]
    assert len(desk.get("run-1").votes) == 2


def test_the_whole_story_is_in_the_audit_trail(desk, ledger):
    ask(desk, ApprovalPolicy(needed=2))
    desk.approve("run-1", ANA)
    desk.approve("run-1", ADA)
    rows = list(ledger.audit.rows())
    assert [(row.entry.actor, row.entry.action) for row in rows] == [
        ("Ben", "retrain requested"), ("Ana", "retrain approved"), ("Ada", "retrain approved"),
    ]  # fmt: skip
    assert all(row.entry.detail["digest"] == desk.get("run-1").digest for row in rows)
    forged = [replace(rows[0], entry=replace(rows[0].entry, actor="Eve")), *rows[1:]]
    assert faults(forged)
