"""What the pipelines ask of a CI provider, by the real client on a stateful GitHub: runs, sources, voice."""

import gzip
import io
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.clients.github import Connection, GithubRuns, GithubSources, GithubVoice, connect
from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Job, Order, Step, Workflow
from pipelines.errors import Refused, Unavailable
from pipelines.triage.gathering import Gathering
from pipelines.triage.values import GONE, CommentPlace, RunReference

NAME = "ours/churn"
SET_UP = """Current runner version: '2.329.0'
##[group]Runner Image
Image: ubuntu-24.04
Version: {image}
##[endgroup]
Download action repository 'actions/checkout@v5' (SHA:08c6903cd8c0fde910a37f88322edcfb5dd907a8)"""
GREEN = """##[group]Run python -m pytest -q
python -m pytest -q
##[endgroup]
..                                                                       [100%]
2 passed in 1.31s"""
RED = """##[group]Run python -m pytest -q
python -m pytest -q
##[endgroup]
F.                                                                       [100%]
E       assert 0.71 == 0.82
FAILED tests/test_train.py::test_score - assert 0.71 == 0.82
1 failed, 1 passed in 1.42s
##[error]Process completed with exit code 1."""
ANNOTATION = {
    "path": "tests/test_train.py", "start_line": 3, "end_line": 3, "annotation_level": "failure",
    "message": "assert 0.71 == 0.82", "title": "test_score",
}  # fmt: skip


def job_of(log: str, image: str = "20251102.3", failed: bool = False, name: str = "test") -> Job:
    end = "failure" if failed else "success"
    annotations = (ANNOTATION,) if failed else ()
    return Job(name, (Step("Set up job", log=SET_UP.format(image=image)), Step("Run pytest", end, log, 3)), annotations)


RUN = job_of(RED, failed=True)


@dataclass
class CiPlace:
    sandbox: GithubSandbox
    connection: Connection
    waits: list[float]
    folder: Path

    def __post_init__(self) -> None:
        self.runs = GithubRuns(self.connection)
        self.sources = GithubSources(self.connection)
        self.voice = GithubVoice(self.connection, redact=lambda text: text.replace("hunter2", "[redacted]"))

    @property
    def git(self):
        return self.sandbox.world.git

    def commit(self, branch="main", message="work", **files) -> str:
        contents = {name.replace("__", "/").replace("_dot_", "."): text.encode() for name, text in files.items()}
        return self.git.commit_files(branch, contents, message, "ben")

    def record(self, sha, *jobs, branch="main", artifacts=None) -> RunReference:
        order = Order("ci.yml", branch, sha, "work", actor="ben")
        return RunReference(NAME, self.sandbox.actions.record(order, jobs, artifacts))

    def record_of_fork(self, owner, branch, *jobs, **files) -> RunReference:
        contents = {name.replace("_dot_", "."): text.encode() for name, text in files.items()}
        sha = self.sandbox.world.push_to_fork(owner, branch, contents, "theirs")
        order = Order("ci.yml", branch, sha, "theirs", "pull_request", owner, fork=owner)
        return RunReference(NAME, self.sandbox.actions.record(order, jobs))

    def pull(self, branch) -> int:
        issue = self.sandbox.world.open_pull("Better scores", "They are better", branch, "main", "ben")
        return issue["number"]

    def gather(self, reference):
        return Gathering(self.runs, self.sources).gather(reference, self.folder)


@pytest.fixture
def ci(tmp_path):
    sandbox = GithubSandbox(NAME, "a-token", [Workflow("ci.yml", name="ci")])
    sandbox.start()
    waits: list[float] = []
    yield CiPlace(sandbox, Connection(lambda: client(sandbox.url), waits.append), waits, tmp_path / "logs")
    sandbox.stop()


def client(url, token="a-token"):
    return connect(token, url, write_pause_seconds=0)


class TestRuns:
    def test_a_failed_run_tells_its_jobs_and_their_steps(self, ci):
        reference = ci.record(ci.commit(train_dot_py="x = 1\n"), job_of(RED, failed=True), job_of(GREEN, name="lint"))
        run = ci.runs.run(reference)
        assert (run.conclusion, run.workflow_path, run.branch) == ("failure", ".github/workflows/ci.yml", "main")
        assert [job.name for job in run.failed_jobs] == ["test"]
        assert run.failed_jobs[0].failing_step.name == "Run pytest"
        assert run.url.startswith(ci.sandbox.url)

    def test_the_log_of_a_job_comes_from_the_other_host_and_the_token_stays_at_home(self, ci):
        run = ci.runs.run(ci.record(ci.commit(a="1"), job_of(RED, failed=True)))
        log = ci.runs.log(run, run.jobs[0], ci.folder)
        text = log.path.read_text(encoding="utf-8-sig")
        assert "FAILED tests/test_train.py::test_score" in text
        assert log.size_bytes == log.path.stat().st_size
        assert ci.sandbox.world.downloads.switches.leaked == []

    def test_the_other_host_would_have_refused_a_token_and_noted_it(self, ci):
        import requests

        address = ci.sandbox.world.downloads.sign("job 1", "text/plain")
        assert requests.get(address, headers={"Authorization": "token a-token"}, timeout=60).status_code == 400
        assert len(ci.sandbox.world.downloads.switches.leaked) == 1

    def test_a_log_that_has_expired_is_told_and_not_raised(self, ci):
        reference = ci.record(ci.commit(a="1"), job_of(RED, failed=True))
        ci.sandbox.actions.logs_expire(reference.run_id)
        run = ci.runs.run(reference)
        log = ci.runs.log(run, run.jobs[0], ci.folder)
        assert (log.path, log.reason) == (None, "GitHub does not keep the log of this job any more.")
        assert list(ci.folder.iterdir()) == []

    def test_where_only_the_archive_of_the_run_is_left_the_job_is_found_in_it(self, ci):
        reference = ci.record(ci.commit(a="1"), job_of(GREEN, name="lint"), job_of(RED, failed=True))
        run = ci.runs.run(reference)
        (job,) = run.failed_jobs
        ci.sandbox.world.store.remove_blob(f"job {job.id}")
        log = ci.runs.log(run, job, ci.folder)
        assert "1 failed, 1 passed" in log.path.read_text(encoding="utf-8-sig")

    @pytest.mark.parametrize("pack", ["zip of steps", "gzip"])
    def test_a_log_may_come_packed(self, ci, pack):
        run = ci.runs.run(ci.record(ci.commit(a="1"), job_of(RED, failed=True)))
        packed = io.BytesIO()
        if pack == "gzip":
            packed.write(gzip.compress(b"first\nsecond\n"))
        else:
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr("test/10_last.txt", "second\n")
                archive.writestr("test/2_first.txt", "first\n")
        ci.sandbox.world.store.put_blob(f"job {run.jobs[0].id}", packed.getvalue())
        assert ci.runs.log(run, run.jobs[0], ci.folder).path.read_text() == "first\nsecond\n"

    def test_an_archive_that_is_broken_counts_as_gone(self, ci):
        run = ci.runs.run(ci.record(ci.commit(a="1"), job_of(RED, failed=True)))
        ci.sandbox.world.store.put_blob(f"job {run.jobs[0].id}", b"PK\x03\x04 and then nothing")
        ci.sandbox.world.store.remove_blob(f"run {run.id} 1")
        assert ci.runs.log(run, run.jobs[0], ci.folder).path is None

    @pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 150, 1000, 12345])
    def test_of_a_log_that_is_too_large_the_first_and_the_last_part_are_kept(self, ci, size):
        run = ci.runs.run(ci.record(ci.commit(a="1"), job_of(RED, failed=True)))
        content = bytes(33 + number % 90 for number in range(size))
        ci.sandbox.world.store.put_blob(f"job {run.jobs[0].id}", content)
        log = GithubRuns(ci.connection, log_limit_bytes=100).log(run, run.jobs[0], ci.folder)
        kept = content if size <= 100 else content[:50] + content[-50:]
        assert log.path.read_bytes() == kept
        assert (log.size_bytes, log.left_out_bytes) == (size, max(0, size - 100))

    def test_annotations_are_told_with_their_lines(self, ci):
        run = ci.runs.run(ci.record(ci.commit(a="1"), job_of(RED, failed=True)))
        (annotation,) = ci.runs.annotations(run, run.jobs[0])
        assert (annotation.path, annotation.start_line, annotation.level) == ("tests/test_train.py", 3, "failure")

    def test_the_last_green_run_is_that_of_the_same_branch_before_this_one(self, ci):
        ci.record(ci.commit(a="1"), job_of(GREEN))
        second = ci.record(ci.commit(a="2"), job_of(GREEN))
        ci.record(ci.commit(branch="other", a="3"), job_of(GREEN), branch="other")
        failed = ci.runs.run(ci.record(ci.commit(a="4"), job_of(RED, failed=True)))
        green = ci.runs.last_green(failed, "main", NAME)
        assert green.reference.run_id == second.run_id
        assert [job.name for job in green.jobs] == ["test"]
        assert ci.runs.last_green(failed, "never", NAME) is None

    def test_a_green_run_of_a_fork_on_a_branch_of_the_same_name_is_not_ours(self, ci):
        ours = ci.record(ci.commit(a="1"), job_of(GREEN))
        theirs = ci.record_of_fork("eve", "main", job_of(GREEN), b="1")
        failed = ci.runs.run(ci.record(ci.commit(a="2"), job_of(RED, failed=True)))
        assert ci.runs.last_green(failed, "main", NAME).id == ours.run_id
        assert ci.runs.last_green(failed, "main", "eve/churn").id == theirs.run_id

    def test_failed_jobs_are_done_again_once_however_often_it_is_asked(self, ci):
        reference = ci.record(ci.commit(a="1"), job_of(GREEN, name="lint"), job_of(RED, failed=True))
        ci.sandbox.actions.again = lambda _run, _failed_only: [job_of(GREEN)]
        run = ci.runs.run(reference)
        assert [ci.runs.rerun_failed(run) for _ in range(3)] == [2, 2, 2]
        ci.sandbox.actions.settled()
        again = ci.runs.run(reference)
        assert (again.attempt, again.conclusion) == (2, "success")
        assert ci.runs.run(run.reference).conclusion == "failure"

    def test_many_who_ask_for_it_at_the_same_moment_get_one(self, ci):
        reference = ci.record(ci.commit(a="1"), job_of(RED, failed=True))
        begun = threading.Event()
        ci.sandbox.actions.again = lambda _run, _failed_only: begun.wait(120) and [job_of(GREEN)]
        run = ci.runs.run(reference)
        with ThreadPoolExecutor(6) as threads:
            asked = list(threads.map(ci.runs.rerun_failed, [run] * 6))
        begun.set()
        ci.sandbox.actions.settled()
        assert asked == [2] * 6
        assert len(ci.sandbox.actions.found(run.id)["attempts"]) == 2

    def test_a_run_that_went_well_is_not_done_again(self, ci):
        run = ci.runs.run(ci.record(ci.commit(a="1"), job_of(GREEN)))
        with pytest.raises(Refused, match="no job failed"):
            ci.runs.rerun_failed(run)


class TestSources:
    def test_a_commit_comes_with_its_diff(self, ci):
        sha = ci.commit(train_dot_py="x = 1\n", message="first")
        assert ci.sources.commit(NAME, sha).files[0].patch == "@@ -0,0 +1 @@\n+x = 1"

    def test_a_huge_diff_is_bounded_and_says_so(self, ci):
        sha = ci.commit(**{f"f{number}_dot_txt": "x\n" for number in range(70)}, big_dot_txt="y" * 50_000)
        commit = ci.sources.commit(NAME, sha)
        assert len(commit.files) == 60
        assert commit.more_files > 0
        assert commit.files[0].cut
        assert len(commit.files[0].patch) == 20_000

    def test_a_comparison_tells_the_commits_between(self, ci):
        base, head = ci.commit(a="1"), ci.commit(a="2", message="two")
        compared = ci.sources.compare(NAME, base, head)
        assert [commit.message for commit in compared.commits] == ["two"]
        assert [file.path for file in compared.files] == ["a"]

    def test_a_file_is_read_at_the_commit(self, ci):
        first = ci.commit(src__train_dot_py="old")
        ci.commit(src__train_dot_py="new")
        assert ci.sources.file(NAME, "src/train.py", first) == b"old"
        assert ci.sources.file(NAME, "src/train.py", "main") == b"new"

    @pytest.mark.parametrize("path", ["nowhere.py", "src", "", "../secret", "/etc/passwd", "a//b", "a/../b", "a\\b"])
    def test_what_is_no_file_is_none(self, ci, path):
        ci.commit(src__train_dot_py="x")
        assert ci.sources.file(NAME, path, "main") is None

    def test_the_pull_request_of_a_run_is_found_by_its_head(self, ci):
        sha = ci.commit(branch="better", a="1")
        number = ci.pull("better")
        run = ci.runs.run(ci.record(sha, job_of(RED, failed=True), branch="better"))
        pull = ci.sources.pull_request(run)
        assert (pull.number, pull.head, pull.base, pull.from_fork) == (number, "better", "main", False)
        assert ci.sources.pull_request(ci.runs.run(ci.record(ci.git.resolve("main"), job_of(GREEN)))) is None

    def test_the_pull_request_of_a_run_of_a_fork_is_found_by_its_head_and_commit(self, ci):
        ci.commit(branch="better", a="ours")
        ours = ci.pull("better")
        runs = {owner: ci.runs.run(ci.record_of_fork(owner, "better", RUN, b=owner)) for owner in ("eve", "mallory")}
        numbers = {owner: ci.pull(f"{owner}:better") for owner in runs}
        assert all(run.pull_requests == () and run.fork == f"{owner}/churn" for owner, run in runs.items())
        # As on GitHub, the commit itself leads to no pull request here.
        assert list(ci.connection.client.get_repo(NAME).get_commit(runs["eve"].sha).get_pulls()) == []
        for owner, run in runs.items():
            found = ci.sources.pull_request(run)
            assert (found.number, found.head, found.author, found.from_fork) == (numbers[owner], "better", "ben", True)
        assert ci.gather(runs["eve"].reference).pull_request.number == numbers["eve"] != ours

    def test_it_is_found_after_a_later_push_and_not_for_a_commit_that_it_does_not_have(self, ci):
        first = ci.runs.run(ci.record_of_fork("eve", "better", RUN, b="1"))
        number = ci.pull("eve:better")
        second = ci.runs.run(ci.record_of_fork("eve", "better", RUN, b="2"))
        assert [ci.sources.pull_request(run).number for run in (first, second)] == [number, number]
        assert ci.sources.pull_request(replace(second, sha="0" * 40)) is None
        assert ci.sources.pull_request(replace(second, branch="other")) is None

    def test_of_a_fork_that_is_gone_only_the_commit_is_left(self, ci):
        run = ci.runs.run(ci.record_of_fork("eve", "better", RUN, b="1"))
        ci.pull("eve:better")
        assert ci.sources.pull_request(replace(run, head=GONE)) is None

    def test_a_pull_request_of_another_repository_is_none_of_ours(self, ci):
        sha = ci.commit(branch="better", a="1")
        number = ci.pull("better")
        run = ci.runs.run(ci.record(sha, RUN, branch="better"))
        assert (run.pull_requests, run.fork, run.head) == ((number,), "", NAME)

    @pytest.mark.parametrize("default", ["main", "trunk"])
    def test_the_default_branch_is_read_from_the_repository(self, tmp_path, default):
        sandbox = GithubSandbox(NAME, "a-token", [Workflow("ci.yml", name="ci")], default_branch=default)
        sandbox.start()
        ci = CiPlace(sandbox, Connection(lambda: client(sandbox.url), [].append), [], tmp_path / "logs")
        try:
            assert ci.sources.default_branch(NAME) == default
            for branch in ("main", "trunk", "work"):
                sha = ci.git.commit_files(branch, {"a": branch.encode()}, "work", "ben", default)
                gathered = ci.gather(ci.record(sha, RUN, branch=branch))
                assert gathered.on_default_branch is (branch == default)
            theirs = ci.gather(ci.record_of_fork("eve", default, RUN, b="1"))
            assert not theirs.on_default_branch
        finally:
            sandbox.stop()


class TestVoice:
    @pytest.fixture(params=["pull request", "commit"])
    def place(self, request, ci):
        sha = ci.commit(branch="better", a="1")
        return CommentPlace(NAME, ci.pull("better") if request.param == "pull request" else None, sha)

    def comments(self, ci):
        return [one["body"].partition("\n")[2] for one in ci.sandbox.world.store.all("comment")]

    def test_a_comment_is_written_once_and_edited_after(self, ci, place):
        assert ci.voice.comment(place, "ci", "one failure").changed
        assert not ci.voice.comment(place, "ci", "one failure").changed
        written = ci.voice.comment(place, "ci", "two failures\r\nin two lines")
        assert written.changed
        assert written.url.startswith(ci.sandbox.url)
        ci.voice.comment(place, "another key", "else")
        assert self.comments(ci) == ["two failures\nin two lines", "else"]

    def test_what_was_written_at_the_same_moment_stays_once(self, ci, place, monkeypatch):
        first = ci.voice.comment(place, "ci", "the same")
        other, asked = GithubVoice(ci.connection, str), []

        def blind_at_first(found, key):
            asked.append(key)
            return [] if len(asked) == 1 else GithubVoice._ours(other, found, key)

        monkeypatch.setattr(other, "_ours", blind_at_first)
        assert other.comment(place, "ci", "the same").url == first.url
        assert self.comments(ci) == ["the same"]

    def test_our_line_in_somebody_elses_comment_does_not_make_it_ours(self, ci, place):
        ci.voice.comment(place, "ci", "ours")
        (ours,) = ci.sandbox.world.store.all("comment")
        ci.sandbox.world.store.put("comment", ours["id"], ours | {"user": "mallory"})
        ci.voice.comment(place, "ci", "still ours")
        assert sorted(self.comments(ci)) == ["ours", "still ours"]

    def test_an_app_which_may_not_ask_who_it_is_finds_its_own_all_the_same(self, ci, place):
        ci.sandbox.tokens["a-token"] = "shipmate[bot]"
        ci.voice.comment(place, "ci", "ours")
        (ours,) = ci.sandbox.world.store.all("comment")
        forged = ours | {"id": ours["id"] - 1, "user": "mallory"}
        ci.sandbox.world.store.put("comment", forged["id"], forged)
        ci.voice.comment(place, "ci", "ours again")
        assert sorted(self.comments(ci)) == ["ours", "ours again"]

    def test_nothing_leaves_unredacted_and_what_is_too_long_is_cut(self, ci, place):
        ci.voice.comment(place, "ci", "the password is hunter2 " + "x" * 70_000)
        (said,) = self.comments(ci)
        assert said.startswith("the password is [redacted]")
        assert said.endswith("GitHub takes no longer comments.")
        assert len(said) < 65_536

    def test_an_issue_is_opened_found_closed_and_opened_again(self, ci):
        first = ci.voice.open_issue(NAME, "fp", "main is red", "why", ["model"])
        assert first.changed
        assert ci.voice.open_issue(NAME, "fp", "main is red", "why") == replace(first, changed=False)
        other = ci.voice.open_issue(NAME, "other", "something else", "")
        assert other.number != first.number
        assert ci.voice.close_issue(NAME, "fp", "green again").number == first.number
        assert ci.voice.close_issue(NAME, "fp", "green again") is None
        assert ci.voice.open_issue(NAME, "fp", "main is red", "again").number == first.number
        issue = ci.sandbox.world.issue(first.number)
        assert (issue["state"], [label["name"] for label in issue["labels"]]) == ("open", ["ci-failure", "model"])
        assert len(ci.sandbox.world.store.all("issue")) == 2

    def test_a_process_that_is_killed_between_the_last_comment_and_the_closing_leaves_one_comment(self, ci):
        number = ci.voice.open_issue(NAME, "fp", "main is red", "why").number
        script = (
            "import os, sys\nfrom bot.clients.github import Connection, GithubVoice, connect, voice\n"
            "voice._close = lambda *_: os.kill(os.getpid(), 9)\n"
            "connection = Connection(lambda: connect('a-token', sys.argv[1], write_pause_seconds=0))\n"
            "GithubVoice(connection, str).close_issue(sys.argv[2], 'fp', 'green again in run 9')\n"
        )
        killed = subprocess.run([sys.executable, "-c", script, ci.sandbox.url, NAME], check=False, timeout=120)
        assert killed.returncode == -9
        issue = ci.sandbox.world.issue(number)
        assert (issue["state"], len(self.comments(ci))) == ("open", 1)
        assert ci.voice.close_issue(NAME, "fp", "green again in run 9").number == number
        assert self.comments(ci) == ["green again in run 9"]
        assert ci.sandbox.world.issue(number)["state"] == "closed"
        ci.voice.open_issue(NAME, "fp", "main is red", "why")
        ci.voice.close_issue(NAME, "fp", "green again in run 12")
        assert self.comments(ci) == ["green again in run 9", "green again in run 12"]

    def test_issues_of_another_kind_have_a_label_and_assignees_of_their_own(self, ci):
        voice = GithubVoice(ci.connection, str, "model-drift")
        ci.voice.open_issue(NAME, "fp", "main is red", "why")
        drift = voice.open_issue(NAME, "fp", "Drift of churn", "why", ["drift"], ["octocat"])
        assert voice.open_issue(NAME, "fp", "Drift of churn", "why").number == drift.number
        issue = ci.sandbox.world.issue(drift.number)
        assert [label["name"] for label in issue["labels"]] == ["model-drift", "drift"]
        assert issue["assignees"] == ["octocat"]
        assert len(ci.sandbox.world.store.all("issue")) == 2


class TestTrouble:
    def test_an_outage_that_ends_soon_is_not_noticed(self, ci):
        reference = ci.record(ci.commit(a="1"), job_of(RED, failed=True))
        ci.sandbox.world.faults.switch_on("broken", times=2)
        assert ci.runs.run(reference).conclusion == "failure"
        assert ci.waits == [0.5, 1.0]

    def test_an_outage_that_lasts_is_told(self, ci):
        reference = ci.record(ci.commit(a="1"), job_of(RED, failed=True))
        ci.sandbox.world.faults.switch_on("unavailable", times=50)
        with pytest.raises(Unavailable, match="it answered 503"):
            ci.runs.run(reference)

    def test_a_short_wait_that_github_asks_for_is_kept(self, ci):
        reference = ci.record(ci.commit(a="1"), job_of(RED, failed=True))
        ci.sandbox.world.faults.switch_on("secondary_rate_limit", seconds=2)
        assert ci.runs.run(reference).conclusion == "failure"
        assert ci.waits == [2.0]

    @pytest.mark.parametrize(("kind", "least", "most"), [("secondary_rate_limit", 90, 90), ("rate_limit", 85, 92)])
    def test_a_long_wait_goes_up_with_its_length(self, ci, kind, least, most):
        reference = ci.record(ci.commit(a="1"), job_of(RED, failed=True))
        ci.sandbox.world.faults.switch_on(kind, seconds=90)
        with pytest.raises(Unavailable, match="rate limit") as told:
            ci.runs.run(reference)
        assert least <= told.value.retry_after_seconds <= most
        assert ci.waits == []

    def test_the_primary_limit_counts(self, ci):
        ci.sandbox.world.faults.limit = 0
        with pytest.raises(Unavailable, match="rate limit") as told:
            ci.sources.default_branch(NAME)
        assert 3000 < told.value.retry_after_seconds <= 3601

    def test_what_is_not_there_or_not_for_us_is_refused_in_plain_words(self, ci):
        with pytest.raises(Refused, match="shows no run 7 in ours/churn: it is gone, or the bot may not see it"):
            ci.runs.run(RunReference(NAME, 7))
        with pytest.raises(Refused, match="shows no commit"):
            ci.sources.commit("theirs/secret", "0" * 40)
        ci.sandbox.world.faults.switch_on("forbidden")
        with pytest.raises(Refused, match="not accessible by personal access token"):
            ci.sources.default_branch(NAME)

    def test_a_wrong_token_is_refused(self, ci):
        runs = GithubRuns(Connection(lambda: client(ci.sandbox.url, "stolen")))
        with pytest.raises(Refused, match="does not know the bot's token"):
            runs.run(RunReference(NAME, 7))

    def test_nobody_there_is_told(self):
        runs = GithubRuns(Connection(lambda: client("http://127.0.0.1:1"), lambda _seconds: None))
        with pytest.raises(Unavailable, match="it did not answer"):
            runs.run(RunReference(NAME, 7))

    def test_a_log_store_that_stumbles_is_asked_again(self, ci):
        run = ci.runs.run(ci.record(ci.commit(a="1"), job_of(RED, failed=True)))
        ci.sandbox.world.downloads.switches.broken = 1
        assert ci.runs.log(run, run.jobs[0], ci.folder).size_bytes > 0

    def test_a_conflict_while_writing_is_refused_and_leaves_one_comment_when_tried_again(self, ci):
        place = CommentPlace(NAME, None, ci.commit(a="1"))
        ci.sandbox.world.faults.switch_on("conflict", "POST")
        with pytest.raises(Refused, match="GitHub refused a comment"):
            ci.voice.comment(place, "ci", "text")
        ci.voice.comment(place, "ci", "text")
        assert len(ci.sandbox.world.store.all("comment")) == 1


class TestGathering:
    def test_everything_about_a_failed_run_is_in_one_value(self, ci):
        workflow = {"_dot_github__workflows__ci_dot_yml": "on: push\n"}
        green = ci.commit(requirements_dot_txt="numpy==2.1.0\npandas==2.3.1\n", **workflow)
        ci.record(green, job_of(GREEN))
        sha = ci.commit(branch="better", message="newer numpy", requirements_dot_txt="numpy==2.2.0\npandas==2.3.1\n",
                        **{name: text + "# changed\n" for name, text in workflow.items()})  # fmt: skip
        number = ci.pull("better")
        reference = ci.record(sha, job_of(RED, "20251120.1", failed=True), branch="better")
        found = ci.gather(reference)
        assert found.unseen == ()
        assert (found.pull_request.number, found.commit.sha, found.workflow_file) == (
            number, sha, "on: push\n# changed\n",
        )  # fmt: skip
        changed = found.changed
        assert changed.green.sha == green
        assert [commit.message for commit in changed.commits] == ["newer numpy"]
        assert "+# changed" in changed.workflow_diff
        assert [(one.kind, one.name, one.before, one.after) for one in changed.versions] == [
            ("package", "numpy", "2.1.0", "2.2.0"),
            ("image", "runner image", "ubuntu-24.04 20251102.3", "ubuntu-24.04 20251120.1"),
        ]
        assert [line.text for line in changed.new_lines] == [
            "E       assert 0.71 == 0.82",
            "FAILED tests/test_train.py::test_score - assert 0.71 == 0.82",
            "1 failed, 1 passed in 1.42s",
            "##[error]Process completed with exit code 1.",
        ]
        log = found.logs[0].path.read_text(encoding="utf-8-sig").splitlines()
        assert changed.new_lines[1].text in log[changed.new_lines[1].number - 1]

    def test_each_of_several_failed_jobs_is_held_against_its_own_green_one(self, ci):
        ci.record(ci.commit(a="1"), job_of(GREEN), job_of("ready\nlinted", name="lint"), job_of("ready", name="docs"))
        image = "20251120.1"
        jobs = [job_of(RED, failed=True), job_of("ready\n2 passed in 1.31s", failed=True, name="lint"),
                job_of("ready\nno page", image, failed=True, name="docs"),
                job_of("new", failed=True, name="new")]  # fmt: skip
        changed = ci.gather(ci.record(ci.commit(a="2"), *jobs)).changed
        told = [(line.job, line.text) for line in changed.new_lines]
        assert told[0] == ("test", "E       assert 0.71 == 0.82")
        assert told[4:] == [("lint", "2 passed in 1.31s"), ("docs", "no page")]
        assert [(one.name, one.after) for one in changed.versions] == [("runner image", f"ubuntu-24.04 {image}")]

    def test_of_many_failed_jobs_only_some_are_held_against_green_ones_and_that_is_said(self, ci):
        names = [f"test {number}" for number in range(6)]
        ci.record(ci.commit(a="1"), *(job_of(GREEN, name=name) for name in names))
        found = ci.gather(ci.record(ci.commit(a="2"), *(job_of(RED, failed=True, name=name) for name in names)))
        assert {line.job for line in found.changed.new_lines} == set(names[:4])
        assert "Which lines are new in 2 more failed jobs." in found.unseen

    def test_a_log_whose_times_are_not_those_of_the_step_is_compared_whole(self, ci):
        ci.record(ci.commit(a="1"), job_of(GREEN))
        reference = ci.record(ci.commit(a="2"), job_of(RED, failed=True))
        (job,) = ci.sandbox.actions.found(reference.run_id)["attempts"][0]["jobs"]
        ci.sandbox.world.store.put_blob(job["log"], b"2020-01-01T00:00:00.0000000Z boom\n")
        assert [line.text for line in ci.gather(reference).changed.new_lines] == ["boom"]

    def test_the_same_commit_with_the_same_tools_changed_nothing(self, ci):
        sha = ci.commit(a="1")
        ci.record(sha, job_of(GREEN))
        found = ci.gather(ci.record(sha, job_of(RED, failed=True)))
        assert found.changed.nothing
        assert found.changed.green.sha == sha

    def test_a_first_run_says_that_there_is_nothing_to_compare_with(self, ci):
        found = ci.gather(ci.record(ci.commit(a="1"), job_of(RED, failed=True)))
        assert found.changed.green is None
        assert not found.changed.nothing
        assert "What changed: no earlier run of ci that went well was found." in found.unseen

    def test_what_cannot_be_seen_is_said_and_the_rest_is_gathered(self, ci):
        first = ci.record(ci.commit(a="1"), job_of(GREEN))
        reference = ci.record(ci.commit(a="2"), job_of(RED, failed=True))
        ci.sandbox.actions.logs_expire(reference.run_id)
        ci.sandbox.actions.logs_expire(first.run_id)
        ci.sandbox.world.faults.switch_on("forbidden", "/check-runs/", times=9)
        ci.sandbox.world.faults.switch_on("unavailable", "/compare/", times=9)
        found = ci.gather(reference)
        assert not found.changed.nothing
        assert found.commit.message == "work"
        told = " | ".join(found.unseen)
        assert "The log of test: GitHub does not keep the log" in told
        assert "annotations of test" in told
        assert "it answered 503" in told

    def test_many_failures_at_the_same_moment_do_not_mix(self, ci):
        shas = [ci.commit(a=str(number), message=f"commit {number}") for number in range(8)]
        references = [ci.record(sha, job_of(RED, failed=True)) for sha in shas]
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(ci.gather, references))
        assert [one.run.id for one in found] == [reference.run_id for reference in references]
        assert [one.commit.message for one in found] == [f"commit {number}" for number in range(8)]
        assert len({one.logs[0].path for one in found}) == 8

    def test_while_github_is_down_nothing_is_gathered(self, ci):
        reference = ci.record(ci.commit(a="1"), job_of(RED, failed=True))
        ci.sandbox.world.faults.switch_on("broken", times=99)
        with pytest.raises(Unavailable):
            ci.gather(reference)
