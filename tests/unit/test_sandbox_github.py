"""Rules of GitHub that only show when something else goes on: pages, unchanged answers, limits, what a page may run."""

import time

import pytest
import requests
from github import Auth, Github, GithubException

from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Job, Order, Step, Workflow
from bot.sandbox.github.markdown import to_html

NAME = "ours/churn"


@pytest.fixture(scope="module")
def sandbox():
    running = GithubSandbox(NAME, "a-token", [Workflow("ci.yml", name="ci")])
    running.start()
    yield running
    running.stop()


@pytest.fixture
def repository(sandbox):
    quick = {"seconds_between_requests": None, "seconds_between_writes": None}
    return Github(auth=Auth.Token("a-token"), base_url=sandbox.url, retry=None, per_page=10, **quick).get_repo(NAME)


def ask(sandbox, path, **headers):
    asked = {"Authorization": "token a-token", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with requests.get(sandbox.url + path, headers=asked, timeout=60) as answer:
        return answer


def test_lists_are_told_page_by_page(sandbox, repository):
    opened = [sandbox.world.open_issue(f"issue {number}", None, "ben")["number"] for number in range(25)]
    found = repository.get_issues(state="open")
    listed = [issue.number for issue in found]
    assert listed[:25] == opened[::-1]
    assert found.totalCount == len(listed)
    answer = ask(sandbox, f"/repos/{NAME}/issues?per_page=10&page=2")
    assert {link["rel"] for link in answer.links.values()} == {"next", "last", "prev", "first"}
    assert f"page={-(-len(listed) // 10)}" in answer.links["last"]["url"]
    assert ask(sandbox, f"/repos/{NAME}/issues?per_page=10&page=9").json() == []


def test_what_has_not_changed_is_not_sent_again(sandbox, repository):
    tag = ask(sandbox, f"/repos/{NAME}").headers["ETag"]
    same = ask(sandbox, f"/repos/{NAME}", If_None_Match=tag)
    assert (same.status_code, same.content) == (304, b"")
    issue = repository.create_issue("watched")
    assert not issue.update()
    sandbox.world.save_issue(sandbox.world.issue(issue.number) | {"title": "changed"})
    assert issue.update()
    assert issue.title == "changed"


def test_every_answer_tells_what_is_left_of_the_limit(sandbox):
    first, second = (int(ask(sandbox, "/user").headers["X-RateLimit-Remaining"]) for _ in range(2))
    assert second == first - 1
    used = sandbox.world.faults.used
    ask(sandbox, "/rate_limit")
    assert sandbox.world.faults.used == used


def test_a_limit_that_is_used_up_is_over_after_an_hour(sandbox, monkeypatch):
    monkeypatch.setattr(sandbox.world.faults, "limit", 0)
    answer = ask(sandbox, "/user")
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (403, "0")
    monkeypatch.setattr(sandbox.world.faults, "limit", 5000)
    monkeypatch.setattr(sandbox.world.faults, "resets_at", time.time() - 1)
    assert ask(sandbox, "/user").status_code == 200


def test_trouble_strikes_where_and_as_often_as_it_was_switched_on(sandbox):
    sandbox.world.faults.switch_on("broken", "GET /repos/.*/labels", times=2)
    labels = f"/repos/{NAME}/labels"
    assert [ask(sandbox, path).status_code for path in ("/user", labels, labels, labels)] == [200, 500, 500, 200]
    sandbox.world.faults.switch_on("slow", seconds=0.3)
    began = time.monotonic()
    assert ask(sandbox, "/user").status_code == 200
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/issues", b"{", 400, "Problems parsing JSON"),
        ("POST", "/issues", b'"text"', 400, "Body should be a JSON object"),
        ("POST", "/issues", b"{}", 422, "Validation Failed"),
        ("POST", "/issues", b'{"title": 7}', 422, "is not a string"),
        ("POST", "/issues", b'{"title": "x", "labels": [7]}', 422, "Validation Failed"),
        ("PATCH", "/issues/1", b'{"state": "gone"}', 422, "Validation Failed"),
        ("PUT", "/contents/../x", b'{"message": "m", "content": ""}', 422, "Validation Failed"),
        ("PUT", "/contents/a/.git/x", b'{"message": "m", "content": ""}', 422, "Validation Failed"),
        ("PUT", "/contents/a", b'{"message": "m", "content": "%%%"}', 422, "not valid Base64"),
        ("PUT", "/contents/a", b'{"message": "m", "content": [1]}', 422, "not valid Base64"),
        ("POST", "/git/trees", b'{"tree": [7]}', 422, "Invalid tree info"),
        ("POST", "/git/refs", b'{"ref": "main", "sha": "x"}', 422, "must start with"),
        ("GET", "/commits/--output=x", b"", 422, "No commit found"),
        ("GET", "/actions/runs/x", b"", 404, "Not Found"),
        ("DELETE", "/issues", b"", 404, "Not Found"),
        ("GET", "/../../etc", b"", 404, "Not Found"),
    ],
)
def test_hostile_requests_are_refused_in_githubs_words(sandbox, method, path, body, status, message):
    address = f"{sandbox.url}/repos/{NAME}{path}"
    headers = {"Authorization": "Bearer a-token"}
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request(method, address, headers=headers, data=body))
        prepared.url = address  # as it is, without being tidied up
        with session.send(prepared, timeout=60) as answer:
            assert answer.status_code == status
            assert message in answer.json()["message"]


def test_the_pages_need_no_token_and_the_api_does(sandbox):
    assert requests.get(f"{sandbox.url}/{NAME}", timeout=60).status_code == 200
    assert requests.get(f"{sandbox.url}/repos/{NAME}", timeout=60).status_code == 401
    assert requests.get(f"{sandbox.url}/{NAME}", headers={"Host": "evil.example"}, timeout=60).status_code == 403


def test_two_writers_of_one_file_never_lose_a_write(sandbox, repository):
    file = repository.create_file("one.txt", "first", "1")["content"]
    repository.update_file("one.txt", "second", "2", file.sha)
    with pytest.raises(GithubException) as refused:
        repository.update_file("one.txt", "third", "3", file.sha)
    assert refused.value.status == 409
    assert repository.get_contents("one.txt").decoded_content == b"2"


def test_a_pull_request_in_conflict_cannot_be_merged(sandbox, repository):
    git = sandbox.world.git
    git.commit_files("main", {"same.txt": b"a\n"}, "base", "ben")
    git.commit_files("left", {"same.txt": b"b\n"}, "left", "ben")
    git.commit_files("main", {"same.txt": b"c\n"}, "right", "ben")
    pull = repository.create_pull(title="left", body="", head="left", base="main")
    assert pull.mergeable is False
    with pytest.raises(GithubException) as refused:
        pull.merge()
    assert refused.value.status == 405


def test_everything_is_there_after_a_restart(tmp_path):
    for number in (1, 2):
        running = GithubSandbox(NAME, "a-token", [Workflow("ci.yml")], folder=tmp_path)
        running.start()
        sha = running.world.git.commit_files("main", {"a.txt": str(number).encode()}, f"commit {number}", "ben")
        running.actions.record(Order("ci.yml", "main", sha, f"run {number}"), [Job("test", (Step("Test"),))])
        running.world.open_issue(f"issue {number}", None, "ben")
        shown = (
            [run.title for run in running.actions.runs()],
            [one["number"] for one in running.world.store.all("issue")],
        )
        running.stop()
    assert shown == (["run 2", "run 1"], [1, 2])


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("<!-- shipmate:1 -->\nhello", "<p>hello</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("# Why\n- a\n- b\n\n1. first", "<h3>Why</h3>\n<ul><li>a</li><li>b</li></ul>\n<ol><li>first</li></ol>"),
        ("```python\nx = '<b>'\n```", "<pre>x = &#x27;&lt;b&gt;&#x27;\n</pre>"),
        ("**bold** `code` *soft*", "<p><strong>bold</strong> <code>code</code> <em>soft</em></p>"),
        ("[x](https://a.example/b)", '<p><a href="https://a.example/b" rel="noreferrer">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ('[x](https://a.example/"x=)', '<p><a href="https://a.example/&quot;x=" rel="noreferrer">x</a></p>'),
        ("", ""),
    ],
)
def test_comments_are_drawn_and_nothing_in_them_runs(written, drawn):
    assert to_html(written) == drawn
