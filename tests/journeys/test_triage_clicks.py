"""Below a report: somebody acknowledges it, has its failed jobs re-run with a yes, or says that it is wrong."""

import json
import threading
from dataclasses import dataclass

import pytest
from printing import printed
from pydantic import SecretStr
from sqlalchemy import create_engine, update

from bot.__main__ import main
from bot.clients import ledger_tables as tables
from bot.config import load_settings
from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Job, Order, Step, Workflow
from pipelines.audit import faults

NAME = "ours/churn"
CHANNEL = "#ml"
SOON = 40
RED = """##[group]Run python -m pip install -r requirements.txt
ERROR: No matching distribution found for torch==2.9.9
##[error]Process completed with exit code 1."""
# Pieces, so that nobody's scanner takes it for a key that leaked from here.
KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@dataclass
class Story:
    space: object
    github: GithubSandbox
    ship: object
    ana: object
    ben: object
    vera: object

    def failed_run(self):
        contents = {"train.py": f"x = {self.github.actions.next_run()}\n".encode()}
        sha = self.github.world.git.commit_files("main", contents, "Fewer trees", "ben")
        jobs = [
            Job("install", (Step("Set up job"), Step("Run pip", "failure", RED, 3)), ()),
            Job("lint", (Step("Run ruff", "success", "fine", 1),), ()),
        ]
        return self.github.actions.record(Order("ci.yml", "main", sha, "Fewer trees", actor="ben"), jobs)

    def report(self):
        """A fresh report of a fresh run, and the number of the run."""
        before = {seen.ts for seen in self.reports()}
        run = self.failed_run()
        self.space.type(f"/triage {self.github.url}/{NAME}/actions/runs/{run}", as_=self.ben, channel=CHANNEL)
        found = self.space.wait_until(lambda: next((s for s in self.reports() if s.ts not in before), None), SOON)
        return found, run

    def reports(self):
        return [seen for seen in self.space.messages(CHANNEL, as_=self.ben) if "failed on" in seen.plain]

    def shows(self, report, containing):
        def found():
            now = self.space.message(report, as_=self.ben)
            return now if containing in now.plain else None

        return self.space.wait_until(found, SOON)

    def replies(self, report, containing):
        return [one for one in self.space.thread(report, as_=self.ben) if containing in one.plain]

    def reply(self, report, containing):
        return self.space.wait_until(lambda: next(iter(self.replies(report, containing)), None), SOON)

    def told(self, person, containing):
        return self.space.wait_for_ephemeral(containing=containing, as_=person, channel=CHANNEL, seconds=SOON)

    def forget_places(self):
        """As the store is between Slack's showing of a report and its answer to us."""
        engine = create_engine(self.ship.bot.settings.database_url)
        with engine.begin() as connection:
            connection.execute(update(tables.triage_reports).values(place_channel=None, place_ts=None))
        engine.dispose()

    def attempts(self, run):
        return len(self.github.actions.found(run)["attempts"])

    def audit(self):
        rows = list(self.ship.bot.ledger.audit.rows())
        assert faults(rows) == []
        return [(row.entry.action, row.entry.actor) for row in rows]


@pytest.fixture
def story(ship):
    github = GithubSandbox(NAME, "a-token", [Workflow("ci.yml", name="ci")])
    github.start()
    ship.restart(github_api_url=github.url, github_token=SecretStr("a-token"))
    space = ship.workspace
    yield Story(space, github, ship, *(space.person(name) for name in ("ana", "ben", "vera")))
    ship.stop()
    github.stop()


def test_the_first_who_acknowledges_has_it_and_the_others_are_told_privately(story):
    report, _ = story.report()
    story.space.press(report, "Acknowledge", as_=story.vera)
    story.told(story.vera, "This takes the role engineer")
    story.space.press(report, "Acknowledge", as_=story.ben)
    now = story.shows(report, "Acknowledged by")
    assert now.button("Acknowledge") is None
    assert "U0BEN" in json.dumps(now.raw)
    assert story.space.press_raw(report, "Acknowledge", as_=story.ana)
    story.told(story.ana, "acknowledged this already")
    assert story.audit().count(("report acknowledged", "Ben Okafor")) == 1


def test_who_presses_before_the_store_knows_where_the_report_stands_is_heard(story):
    report, _ = story.report()
    story.forget_places()
    story.space.press(report, "Re-run failed jobs", as_=story.ben, confirm=True)
    assert story.reply(report, "Ben Okafor asks").button("Approve") is not None
    story.forget_places()
    story.space.press(report, "Acknowledge", as_=story.ben)
    story.shows(report, "Acknowledged by")


def test_an_engineers_re_run_waits_for_a_yes_that_names_run_attempt_and_jobs_exactly(story):
    report, run = story.report()
    story.space.press(report, "Re-run failed jobs", as_=story.ben, confirm=True)
    card = story.reply(report, "Ben Okafor asks")
    for part in ("Re-run 1 failed job of ci #1?", NAME, "#1, attempt 1", "install"):
        assert part in card.plain
    assert "lint" not in card.plain
    story.space.press(card, "Approve re-running 1 failed job", as_=story.ben)
    story.told(story.ben, "Approving takes the role approver")
    assert story.attempts(run) == 1
    home = story.space.wait_until(lambda: story.space.home(as_=story.ana), SOON)
    assert "Re-run 1 failed job of run #1 of ours/churn, attempt 1" in home.plain
    story.space.press(home, "Approve re-running 1 failed job", as_=story.ana)
    story.reply(report, "Re-running 1 failed job of run #1 as attempt 2, approved by Ana Lima: install")
    assert story.attempts(run) == 2
    assert "as attempt 2, approved by" in story.shows(report, "Failed jobs re-run").plain
    settled = story.reply(report, "attempt 2 has begun")
    assert settled.button("Approve") is None
    assert story.audit()[-3:] == [
        ("re-run requested", "Ben Okafor"), ("re-run approved", "Ana Lima"), ("re-run started", "Ana Lima"),
    ]  # fmt: skip


def test_who_may_approve_begins_at_once_and_all_who_press_at_once_begin_one(story):
    report, run = story.report()
    presses = [
        threading.Thread(target=story.space.press_raw, args=(report, "Re-run failed jobs"), kwargs={"as_": story.ana})
        for _ in range(4)
    ]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    story.reply(report, "as attempt 2, approved by Ana Lima")
    assert story.space.press_raw(report, "Re-run failed jobs", as_=story.ben)
    story.told(story.ben, "This run was re-run meanwhile: it is at attempt 2")
    assert story.attempts(run) == 2
    assert len(story.replies(report, "Re-running")) == 1
    assert story.replies(report, "asks") == []


def test_what_was_rejected_can_be_asked_for_again_and_an_old_yes_counts_no_more(story):
    report, run = story.report()
    story.space.press(report, "Re-run failed jobs", as_=story.ben, confirm=True)
    first = story.reply(report, "Ben Okafor asks")
    story.space.type("/approvals", as_=story.ben, channel=CHANNEL)
    assert story.told(story.ben, "asked by Ben Okafor").button("Approve") is None
    story.space.type("/approvals", as_=story.ana, channel=CHANNEL)
    listed = story.told(story.ana, "asked by Ben Okafor")
    assert "install" in listed.plain
    assert report.ts.replace(".", "") in json.dumps(listed.raw)
    story.space.press(listed, "Reject", as_=story.ana, confirm=True)
    story.told(story.ana, "was rejected by Ana Lima")
    story.reply(report, "was rejected by Ana Lima")
    assert story.space.press_raw(first, "Approve", as_=story.ana)
    story.told(story.ana, "This was rejected by Ana Lima already")

    def asked_again():
        # Within three seconds a second click counts as a double one.
        story.space.press_raw(report, "Re-run failed jobs", as_=story.ben)
        return next(iter(story.replies(report, "Ben Okafor asks")), None)

    second = story.space.wait_until(asked_again, SOON)
    assert second.ts != first.ts
    story.github.actions.rerun(run, failed_only=True)
    story.space.press(second, "Approve", as_=story.ana)
    story.reply(report, "The run was re-run meanwhile: it is at attempt 2. Nothing was done.")
    assert story.attempts(run) == 2
    assert story.audit()[-1] == ("re-run failed", "Ana Lima")


def test_a_yes_that_was_given_while_github_is_away_is_carried_out_once_after_a_restart(story):
    report, run = story.report()
    story.space.press(report, "Re-run failed jobs", as_=story.ben, confirm=True)
    card = story.reply(report, "Ben Okafor asks")
    story.github.world.faults.switch_on("unavailable", times=1_000)
    story.space.press(card, "Approve", as_=story.ana)
    story.space.wait_until(lambda: ("re-run approved", "Ana Lima") in story.audit(), SOON)
    story.ship.restart()
    story.github.world.faults.switch_off()
    story.reply(report, "as attempt 2, approved by Ana Lima")
    assert story.attempts(run) == 2
    assert len(story.replies(report, "Re-running")) == 1


def test_a_yes_that_a_killed_process_did_not_act_on_is_acted_on_by_the_next(story):
    report, run = story.report()
    story.space.press(report, "Re-run failed jobs", as_=story.ben, confirm=True)
    story.reply(report, "Ben Okafor asks")
    desk = story.ship.bot
    rerun = desk.ledger.reruns.unfinished()[0]
    # What a process leaves that is killed between the vote and the work.
    desk.desk.approvals.approve(rerun.id, desk.listeners._r.directory.person("U0ANA"))
    story.ship.restart()
    story.reply(report, "as attempt 2, approved by Ana Lima")
    assert story.attempts(run) == 2


def test_what_people_say_of_a_wrong_report_stands_below_it_and_below_the_next_of_its_kind(story, capsys, monkeypatch):
    report, _ = story.report()
    story.space.press(report, "Wrong", as_=story.vera)
    form = story.space.wait_until(lambda: story.space.modal(as_=story.vera), SOON)
    assert "1. pip finds no version of torch==2.9.9" in json.dumps(form.raw)
    said = f"The mirror was down <!channel> https://evil.example token={KEY}"
    values = {
        "cause": {"pick": {"type": "radio_buttons", "selected_option": {"value": "1"}}},
        "said": {"text": {"type": "plain_text_input", "value": said}},
    }
    assert story.space.submit(form, values, as_=story.vera)["ok"]
    story.told(story.vera, "Thank you")
    now = story.shows(report, "cause 1 is wrong. “The mirror was down")
    assert "Doubted by" in now.plain
    later, _ = story.report()
    assert "said of a report like this: cause 1 is wrong. “The mirror was down" in story.shows(later, "said of").plain
    raw = json.dumps([now.raw, story.space.message(later, as_=story.ben).raw])
    assert KEY not in raw
    assert "<!channel>" not in raw
    assert ("report doubted", "Vera Novak") in story.audit()
    monkeypatch.setenv("SHIPMATE_DATA_DIR", str(story.ship.folder))
    assert load_settings().database_url == story.ship.bot.settings.database_url
    capsys.readouterr()
    assert main(["triage", "--feedback"]) == 0
    told = printed(capsys)
    assert len(told) == 1
    assert told[0]["kind"] == "dependency"
    assert told[0]["wrong_cause"] == "pip finds no version of torch==2.9.9 that fits this Python, platform and index."
    assert told[0]["signature"] == "python.pip-no-version"
    assert told[0]["said"].startswith("The mirror was down")
    assert told[0]["fingerprint"]
