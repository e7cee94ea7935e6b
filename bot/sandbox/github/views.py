"""What the pages show, drawn from the state of the sandbox."""

import html
import re
from collections.abc import Iterable

from starlette.requests import Request

from bot.sandbox.github.answers import Document, not_found
from bot.sandbox.github.git import Commit, FileChange
from bot.sandbox.github.markdown import to_html
from bot.sandbox.github.runlogs import MARK
from bot.sandbox.github.world import World

TABS = (
    ("Code", ""),
    ("Commits", "/commits"),
    ("Pull requests", "/pulls"),
    ("Issues", "/issues"),
    ("Actions", "/actions"),
)
SHOWN_LOG = 400_000
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ?")
LOG_MARKS = {"##[group]": "group", "##[error]": "removed"}


def repository(world: World, _request: Request) -> str:
    head = world.git.commit(world.default_branch)
    rows = [
        f'<li><a href="/{world.name}/blob/main/{_e(entry.path)}">{_e(entry.path)}</a></li>'
        for entry in world.git.tree(head.sha, recursive=True) if entry.kind == "blob"
    ]  # fmt: skip
    latest = _commit_row(world, head)
    open_pulls = "".join(_work_row(world, one) for one in world.pulls("open")) or _none("No open pull request.")
    ran = "".join(_run_row(world, one) for one in world.actions.documents()[:8]) or _none("Nothing has run yet.")
    body = (
        f'<section><h2>main</h2><ul class="rows">{latest}</ul><ul class="files">{"".join(rows)}</ul></section>'
        f'<section><h2>Open pull requests</h2><ul class="rows">{open_pulls}</ul></section>'
        f'<section><h2>Last runs</h2><ul class="rows">{ran}</ul></section>'
    )
    return _whole(world, "Code", world.name, body)


def commits(world: World, _request: Request) -> str:
    rows = "".join(_commit_row(world, commit) for commit in world.git.commits("-100", world.default_branch))
    return _whole(world, "Commits", "Commits on main", f'<ul class="rows">{rows}</ul>')


def commit(world: World, request: Request) -> str:
    found = world.git.commit(world.sha(request.path_params["sha"]))
    changes = world.git.changes(found.parents[0] if found.parents else "", found.sha)
    said = "".join(_comment(one) for one in world.store.all("comment") if one["sha"] == found.sha)
    who = f'<p class="quiet">{_e(found.author["name"])} · {found.sha}</p>'
    body = f"{who}{_checks(world, found.sha)}{said}{_diff(changes)}"
    return _whole(world, "Commits", found.message.splitlines()[0], body)


def pulls(world: World, _request: Request) -> str:
    rows = "".join(_work_row(world, one) for one in world.pulls()) or _none("No pull request yet.")
    return _whole(world, "Pull requests", "Pull requests", f'<ul class="rows">{rows}</ul>')


def pull(world: World, request: Request) -> str:
    issue = world.pull(request.path_params["number"])
    head, base = world.ends(issue)
    changes = world.git.changes(world.git.merge_base(base, head) or base, head)
    names = [f"<code>{_e(issue['pull'][end])}</code>" for end in ("head", "base")]
    where = f'<p class="quiet">wants to merge {names[0]} into {names[1]}</p>'
    body = f"{_state(issue)}{where}{_thread(world, issue)}{_checks(world, head)}{_diff(changes)}"
    return _whole(world, "Pull requests", f"{issue['title']} #{issue['number']}", body)


def issues(world: World, _request: Request) -> str:
    found = [issue for issue in world.store.all("issue") if not issue["pull"]][::-1]
    rows = "".join(_work_row(world, one) for one in found) or _none("No issue yet.")
    return _whole(world, "Issues", "Issues", f'<ul class="rows">{rows}</ul>')


def issue(world: World, request: Request) -> str:
    found = world.issue(request.path_params["number"])
    labels = "".join(f'<span class="label">{_e(label["name"])}</span>' for label in found["labels"])
    body = f"{_state(found)}{labels}{_thread(world, found)}"
    return _whole(world, "Issues", f"{found['title']} #{found['number']}", body)


def runs(world: World, _request: Request) -> str:
    rows = "".join(_run_row(world, one) for one in world.actions.documents()) or _none("Nothing has run yet.")
    return _whole(world, "Actions", "All runs", f'<ul class="rows">{rows}</ul>')


def run(world: World, request: Request) -> str:
    found = world.actions.found(request.path_params["number"])
    chosen = request.path_params.get("job")
    place = f"{_e(found['event'])} on <code>{_e(found['branch'])}</code>, attempt {len(found['attempts'])}"
    parts = [f'<p class="quiet">{place}</p>']
    for job in found["attempts"][-1]["jobs"]:
        steps = "".join(f"<li>{_mark(step['conclusion'])} {_e(step['name'])}</li>" for step in job["steps"])
        opened = " open" if chosen in (None, job["id"]) and job["conclusion"] != "success" else ""
        log = (world.store.blob(job["log"]) or b"These logs have expired.")[-SHOWN_LOG:].decode(errors="replace")
        parts.append(
            f'<details{opened} id="job-{job["id"]}"><summary>{_mark(job["conclusion"])} {_e(job["name"])}</summary>'
            f'<ul class="steps">{steps}</ul><pre class="log">{_log(log)}</pre></details>'
        )
    return _whole(world, "Actions", found["title"], "".join(parts))


def file(world: World, request: Request) -> str:
    ref, path = request.path_params["ref"], request.path_params["path"]
    content = world.git.read(world.sha(ref), path)
    if content is None:
        raise not_found()
    lines = content.decode(errors="replace").splitlines()
    numbered = "".join(f'<li id="L{number}">{_e(line) or " "}</li>' for number, line in enumerate(lines, start=1))
    return _whole(world, "Code", path, f'<p class="quiet">{_e(ref)}</p><ol class="source">{numbered}</ol>')


def missing(world: World, message: str) -> str:
    return _whole(world, "", "Not here", _none(message))


def _log(log: str) -> str:
    """Without the times, as GitHub shows it at first; groups and errors stand out."""
    shown = []
    for line in log.lstrip(MARK).splitlines():
        said = STAMP.sub("", line)
        kind = next((name for start, name in LOG_MARKS.items() if said.startswith(start)), "")
        if said != "##[endgroup]":
            shown.append(
                f'<span class="{kind}">{_e(said.removeprefix("##[group]").removeprefix("##[error]"))}\n</span>'
            )
    return "".join(shown)


def _whole(world: World, tab: str, title: str, body: str) -> str:
    tabs = "".join(
        f'<a href="/{world.name}{end}"{" class=here" if name == tab else ""}>{name}</a>' for name, end in TABS
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_e(title)} · {_e(world.name)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/github.css"></head><body>'
        f'<header><a class="name" href="/{world.name}">{_e(world.name)}</a><nav>{tabs}</nav></header>'
        f"<main><h1>{_e(title)}</h1>{body}</main></body></html>"
    )


def _commit_row(world: World, commit: Commit) -> str:
    checks = world.checks(commit.sha)
    mark = _mark(_worst(checks)) if checks else ""
    first = _e(commit.message.splitlines()[0] if commit.message else "")
    return (
        f'<li>{mark} <a href="/{world.name}/commit/{commit.sha}">{first}</a>'
        f'<span class="quiet">{_e(commit.author["name"])} · {commit.sha[:7]}</span></li>'
    )


def _work_row(world: World, issue: Document) -> str:
    kind = "pull" if issue["pull"] else "issues"
    checks = world.checks(world.ends(issue)[0]) if issue["pull"] else []
    link = f'<a href="/{world.name}/{kind}/{issue["number"]}">{_e(issue["title"])}</a>'
    who = f'<span class="quiet">#{issue["number"]} by {_e(issue["user"])}</span>'
    return f"<li>{_state(issue)} {link} {_mark(_worst(checks)) if checks else ''}{who}</li>"


def _run_row(world: World, run: Document) -> str:
    last = run["attempts"][-1]
    link = f'<a href="/{world.name}/actions/runs/{run["id"]}">{_e(run["title"])}</a>'
    return (
        f"<li>{_mark(last['conclusion'] or last['status'])} {link}"
        f'<span class="quiet">{_e(run["name"])} #{run["number"]} · {_e(run["branch"])}</span></li>'
    )


def _thread(world: World, issue: Document) -> str:
    first = _comment(issue | {"body": issue["body"] or ""})
    return first + "".join(_comment(one) for one in world.comments(issue["number"]))


def _comment(comment: Document) -> str:
    edited = " · edited" if comment["updated_at"] != comment["created_at"] and "number" not in comment else ""
    when = f'<span class="quiet">{_moment(comment["created_at"])}{edited}</span>'
    return f"<article><header><b>{_e(comment['user'])}</b>{when}</header>{to_html(comment['body'])}</article>"


def _checks(world: World, sha: str) -> str:
    rows = []
    for check in world.checks(sha):
        link = f'<a href="{_e(check["html_url"])}">{_e(check["name"])}</a>'
        rows.append(f"<li>{_mark(check['conclusion'] or check['status'])} {link}</li>")
    return f'<section><h2>Checks</h2><ul class="rows">{"".join(rows)}</ul></section>' if rows else ""


def _diff(changes: Iterable[FileChange]) -> str:
    shown = []
    for change in changes:
        lines = "".join(f'<span class="{_kind(line)}">{_e(line)}\n</span>' for line in change.patch.splitlines())
        counts = f'<b class="added">+{change.additions}</b> <b class="removed">−{change.deletions}</b>'
        shown.append(f"<section><h2>{_e(change.path)} {counts}</h2><pre>{lines}</pre></section>")
    return "".join(shown)


def _kind(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "hunk"}.get(line[:1], "same")


def _worst(checks: list[Document]) -> str:
    conclusions = [check["conclusion"] or check["status"] for check in checks]
    return next((one for one in ("failure", "timed_out", "cancelled", "in_progress") if one in conclusions), "success")


def _mark(conclusion: str) -> str:
    sign = {"success": "✓", "failure": "✕", "skipped": "–", "neutral": "–"}.get(conclusion, "●")
    return f'<span class="mark {_e(conclusion)}" title="{_e(conclusion)}">{sign}</span>'


def _state(issue: Document) -> str:
    state = "merged" if issue["pull"] and issue["pull"]["merged_at"] else issue["state"]
    return f'<span class="state {state}">{state}</span>'


def _none(text: str) -> str:
    return f'<p class="quiet">{_e(text)}</p>'


def _moment(at: str) -> str:
    return at.replace("T", " ").removesuffix("Z")[:16] + " UTC"


def _e(text: object) -> str:
    return html.escape(str(text))
