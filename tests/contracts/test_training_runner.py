"""What every place that runs training promises."""

import time
from dataclasses import replace

import pytest

from pipelines.errors import Refused
from pipelines.retrain.values import Progress, TrainingJob


def wait(claim, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := claim()):
        assert time.monotonic() < deadline, "it did not get there"
        time.sleep(0.1)
    return found


def ended(place, job):
    """The state once it is neither absent nor running."""
    return wait(lambda: (now := place.runner.state(job)).phase not in ("absent", "running") and now)


@pytest.fixture(params=["local", "kubernetes", "github"])
def place(request):
    """`runner`, `again()` (a runner as after our own restart), `workdir(run_id)` and `starts(job)`."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def job(place):
    def make(target="quick", run_id="churn-20261123-0900-ab12", **changes):
        job = TrainingJob(
            run_id=run_id, model="churn", problem="classification", data="/data/churn.csv", target=target,
            trainer="builtin", workdir=place.workdir(run_id),
        )  # fmt: skip
        return replace(job, **changes)

    return make


class TestTrainingRunner:
    def test_what_was_never_started_is_absent(self, place, job):
        assert place.runner.state(job()).phase == "absent"

    def test_a_run_ends_with_a_result_and_its_artefacts(self, place, job):
        place.runner.start(job())
        assert ended(place, job()).phase == "finished"
        assert place.runner.result(job()).metrics == {"roc_auc": 0.8}
        folder = place.runner.artefacts(job())
        assert (folder / "model.pkl").read_bytes() == b"a model"
        assert (folder / "result.json").exists()

    def test_progress_is_told_while_it_runs(self, place, job):
        place.runner.start(job("slow"))
        running = wait(lambda: (now := place.runner.state(job("slow"))).progress and now.progress.fraction and now)
        assert running.phase == "running"
        assert running.progress == Progress("fitting", 0.5, "half way")
        place.runner.cancel(job("slow"))

    def test_starting_again_while_it_runs_or_after_it_finished_starts_nothing(self, place, job):
        for _ in range(3):
            place.runner.start(job())
        assert ended(place, job()).phase == "finished"
        place.again().start(job())
        assert place.again().state(job()).phase == "finished"
        assert place.starts(job()) == 1

    def test_a_refusal_of_the_trainer_is_told_in_its_own_words(self, place, job):
        place.runner.start(job("refuse"))
        failed = ended(place, job("refuse"))
        assert (failed.phase, failed.reason) == ("failed", "The table has one class only.")
        with pytest.raises(Refused, match="one class only"):
            place.runner.result(job("refuse"))

    def test_a_crash_is_told_with_its_last_words(self, place, job):
        place.runner.start(job("crash"))
        gone = ended(place, job("crash"))
        assert gone.phase == place.phase_of_crash
        assert "division by zero" in gone.reason or not place.tells_last_words

    def test_a_cancelled_run_ends_and_is_not_started_again(self, place, job):
        place.runner.start(job("slow"))
        wait(lambda: place.runner.state(job("slow")).phase == "running")
        place.runner.cancel(job("slow"))
        stopped = ended(place, job("slow"))
        assert stopped.phase == "failed"
        assert "cancelled" in stopped.reason
        place.again().start(job("slow"))
        assert place.again().state(job("slow")).phase == "failed"

    def test_cancelling_what_has_ended_or_was_never_started_is_fine(self, place, job):
        place.runner.start(job())
        assert ended(place, job()).phase == "finished"
        place.runner.cancel(job())
        assert place.runner.state(job()).phase == "finished"
        place.runner.cancel(job(run_id="churn-other"))
        assert place.runner.state(job(run_id="churn-other")).phase in ("absent", "failed")

    def test_after_our_own_restart_the_run_is_found_again(self, place, job):
        place.runner.start(job("slow"))
        wait(lambda: place.runner.state(job("slow")).phase == "running")
        assert place.again().state(job("slow")).phase == "running"
        place.again().cancel(job("slow"))
        assert ended(place, job("slow")).phase == "failed"
