"""Files by their path: read, written and removed one commit at a time."""

import base64
import binascii

from bot.sandbox.github.answers import Answer, ApiError, Document, invalid, not_found
from bot.sandbox.github.git import ADDRESS
from bot.sandbox.github.registry import Call, operation

CONTENTS = "/repos/{owner}/{repo}/contents/{path}"


@operation("GET", CONTENTS)
def read(call: Call) -> Answer:
    world, path, ref = (
        call.world,
        call.parameters["path"].strip("/"),
        call.query.get("ref") or call.world.default_branch,
    )
    commit = world.git.resolve(ref)
    if commit is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    entry = world.git.entry(commit, path) if path else None
    if path and entry is None:
        raise not_found()
    if entry and entry.kind == "blob":
        return Answer(world.shapes.content(entry, ref, world.git.blob(entry.sha)))
    inside = world.git.tree(f"{commit}:{path}" if path else commit)
    placed = [type(one)(one.mode, one.kind, one.sha, one.size, f"{path}/{one.path}".strip("/")) for one in inside]
    return Answer([world.shapes.entry(one, ref) for one in placed])


@operation("PUT", CONTENTS)
def write(call: Call) -> Answer:
    message = call.text("message")
    try:
        content = base64.b64decode(call.body.get("content", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError, AttributeError, TypeError):
        raise ApiError(422, "content is not valid Base64") from None
    if "content" not in call.body:
        raise ApiError(422, 'Invalid request.\n\n"content" wasn\'t supplied.')
    existed = _checked(call, needed=False)
    sha = _commit(call, message, content)
    entry = call.world.git.entry(sha, call.parameters["path"])
    if entry is None:
        raise not_found()
    shown = call.world.shapes.entry(entry, _branch(call))
    return Answer({"content": shown, "commit": _described(call, sha)}, 200 if existed else 201)


@operation("DELETE", CONTENTS)
def remove(call: Call) -> Answer:
    message = call.text("message")
    call.text("sha")
    _checked(call, needed=True)
    sha = _commit(call, message, None)
    return Answer({"content": None, "commit": _described(call, sha)})


def _branch(call: Call) -> str:
    return call.text("branch", call.world.default_branch)


def _checked(call: Call, needed: bool) -> bool:
    """Whether the file exists. Whoever changes one names the blob that they have seen."""
    path, git = call.parameters["path"], call.world.git
    head = git.resolve(f"refs/heads/{_branch(call)}")
    if head is None:
        raise ApiError(404, f"Branch {_branch(call)} not found")
    if not path or any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise invalid("Commit", "path", "invalid", "path contains a malformed path component")
    entry, seen = git.entry(head, path), call.body.get("sha")
    if entry is None:
        if needed:
            raise not_found()
        if seen:
            raise ApiError(409, f"{path} does not match {seen}")
        return False
    if not seen:
        raise ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if entry.sha != seen:
        raise ApiError(409, f"{path} does not match {seen}")
    return True


def _commit(call: Call, message: str, content: bytes | None) -> str:
    world, ref = call.world, f"refs/heads/{_branch(call)}"
    before = world.git.resolve(ref) or ""
    blob = world.git.write_blob(content) if content is not None else ""
    tree = world.git.write_tree(before, [("100644", blob, call.parameters["path"])])
    sha = world.git.write_commit(tree, [before], message, person(call, "author"), person(call, "committer"))
    world.git.update_ref(ref, sha, before)
    world.pushed(ref, before, sha, call.actor)
    return sha


def person(call: Call, role: str) -> Document:
    """The author or committer of the body; the token's owner where none is given."""
    given = call.body.get(role) or {}
    if not isinstance(given, dict):
        raise ApiError(422, f"Invalid request.\n\nFor 'properties/{role}', {given!r:.80} is not an object.")
    named = {"name": given.get("name") or call.actor, "email": given.get("email") or ADDRESS.format(call.actor)}
    return named | ({"date": given["date"]} if given.get("date") else {})


def _described(call: Call, sha: str) -> Document:
    return call.world.shapes.git_commit(call.world.git.commit(sha))
