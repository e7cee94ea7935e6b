"""The code: a bare repository, worked on with git's own commands."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.github.answers import ApiError, not_found

ADDRESS = "{}@users.noreply.example"
SHA = re.compile(r"[0-9a-f]{40}")
STATUS = {"A": "added", "D": "removed", "M": "modified", "T": "changed", "R": "renamed", "C": "copied"}
FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"


class GitError(Exception):
    """What git said on its way out."""


@dataclass(frozen=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Mapping[str, str]
    committer: Mapping[str, str]
    message: str


@dataclass(frozen=True)
class FileChange:
    """`patch` starts at the first hunk, as GitHub tells it; empty for binary files."""

    status: str
    path: str
    previous: str
    additions: int
    deletions: int
    patch: str
    sha: str


@dataclass(frozen=True)
class Entry:
    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


class BareRepository:
    """`folder` is made when it is not there; its default branch is main."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("git")
        if found is None:
            raise OSError("The GitHub of the sandbox needs git.")
        self._git = found
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        # Nothing of the person's own configuration (signing, hooks, templates) may reach in here.
        self._environment = {
            "PATH": os.defpath, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_DIR": str(folder), "LC_ALL": "C",
        }  # fmt: skip
        if not (folder / "HEAD").exists():
            self.run("init", "--quiet", "--bare", "--initial-branch=main", str(folder))

    def run(self, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        outcome = subprocess.run(  # noqa: S603
            [self._git, *arguments], input=given, capture_output=True, check=False,
            env=self._environment | dict(environment or {}),
        )  # fmt: skip
        if outcome.returncode:
            raise GitError(outcome.stderr.decode(errors="replace").strip() or outcome.stdout.decode(errors="replace"))
        return outcome.stdout

    def text(self, *arguments: str) -> str:
        return self.run(*arguments).decode(errors="replace").strip()

    # Names

    def resolve(self, name: str, kind: str = "commit") -> str | None:
        """The SHA behind a branch, a tag, a full ref or a SHA; None where there is none."""
        if not name or name.startswith("-") or ".." in name or not name.isprintable():
            return None
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            try:
                return self.text("rev-parse", "--verify", "--quiet", f"{candidate}^{{{kind}}}")
            except GitError:
                continue
        return None

    def refs(self, prefix: str) -> list[tuple[str, str]]:
        """(ref, sha) of all below a prefix such as refs/heads/."""
        listed = self.text("for-each-ref", "--format=%(refname) %(objectname)")
        pairs = [(name, sha) for name, _, sha in (line.partition(" ") for line in listed.splitlines())]
        return [pair for pair in pairs if pair[0].startswith(prefix)]

    def update_ref(self, ref: str, new: str, old: str = "") -> None:
        """Move or make a ref; with `old` only if it still points there."""
        self.run("update-ref", ref, new, *([old] if old else []))

    def delete_ref(self, ref: str) -> None:
        self.run("update-ref", "-d", ref)

    # Reading

    def commit(self, sha: str) -> Commit:
        return self.commits("-1", sha)[0]

    def commits(self, *arguments: str) -> list[Commit]:
        """`git log` with these arguments."""
        text = self.run("log", f"--format={FORMAT}%x01", *arguments).decode(errors="replace")
        return [_commit(part.lstrip("\n")) for part in text.split("\x01") if part.strip("\n")]

    def merge_base(self, base: str, head: str) -> str | None:
        try:
            return self.text("merge-base", base, head)
        except GitError:
            return None

    def is_ancestor(self, old: str, new: str) -> bool:
        return self.merge_base(old, new) == old

    def count(self, span: str) -> int:
        return int(self.text("rev-list", "--count", span))

    def tree(self, name: str, recursive: bool = False) -> list[Entry]:
        listed = self.run("ls-tree", "-l", "-z", *(["-r", "-t"] if recursive else []), name).decode(errors="replace")
        return [_entry(line) for line in listed.split("\0") if line]

    def entry(self, commit: str, path: str) -> Entry | None:
        found = self.run("ls-tree", "-l", "-z", commit, "--", path.strip("/")).decode(errors="replace")
        return _entry(found.rstrip("\0")) if found else None

    def blob(self, sha: str) -> bytes:
        try:
            return self.run("cat-file", "blob", sha)
        except GitError:
            raise not_found() from None

    def read(self, commit: str, path: str) -> bytes | None:
        """A file at a commit; None where there is none."""
        entry = self.entry(commit, path)
        return self.blob(entry.sha) if entry and entry.kind == "blob" else None

    def changes(self, base: str, head: str) -> list[FileChange]:
        """What `git diff base head` shows, file by file. A base of "" is the empty tree."""
        base = base or self.text("hash-object", "-t", "tree", os.devnull)
        arguments = ("diff", "--no-color", "--no-ext-diff", "-M", "--full-index", base, head)
        raw = self.run(*arguments[:1], "--raw", "--no-abbrev", "-z", *arguments[1:]).decode(errors="replace")
        counted = self.run(*arguments[:1], "--numstat", *arguments[1:]).decode(errors="replace").splitlines()
        patches = re.split(r"(?m)^(?=diff --git )", self.run(*arguments).decode(errors="replace"))[1:]
        found = []
        for (letter, previous, path, sha), numbers, patch in zip(_raw(raw), counted, patches, strict=True):
            added, deleted = (int(text) if text.isdecimal() else 0 for text in numbers.split("\t")[:2])
            start = patch.find("\n@@")
            shown = patch[start + 1 :].rstrip("\n") if start >= 0 else ""
            found.append(FileChange(STATUS[letter], path, previous, added, deleted, shown, sha))
        return found

    def diff(self, base: str, head: str) -> bytes:
        base = base or self.text("hash-object", "-t", "tree", os.devnull)
        return self.run("diff", "--no-color", "--no-ext-diff", "-M", base, head)

    # Writing

    def write_blob(self, content: bytes) -> str:
        return self.run("hash-object", "-w", "--stdin", given=content).decode().strip()

    def write_tree(self, base: str, entries: Sequence[tuple[str, str, str]]) -> str:
        """`base` changed by entries of (mode, sha, path); an empty sha removes the path."""
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            if base:
                self.run("read-tree", base, environment=index)
            lines = [f"{mode if sha else '0'} {sha or '0' * 40}\t{path}\0" for mode, sha, path in entries]
            self.run("update-index", "-z", "--index-info", given="".join(lines).encode(), environment=index)
            return self.run("write-tree", environment=index).decode().strip()

    def write_commit(
        self, tree: str, parents: Sequence[str], message: str, author: Mapping[str, str],
        committer: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        named = [argument for parent in parents for argument in ("-p", parent)]
        by = committer or author
        environment = {
            "GIT_AUTHOR_NAME": author["name"], "GIT_AUTHOR_EMAIL": author["email"],
            "GIT_COMMITTER_NAME": by["name"], "GIT_COMMITTER_EMAIL": by["email"],
        }  # fmt: skip
        if author.get("date"):
            environment["GIT_AUTHOR_DATE"] = author["date"]
        if by.get("date"):
            environment["GIT_COMMITTER_DATE"] = by["date"]
        given = message.encode()
        return self.run("commit-tree", tree, *named, "-F", "-", given=given, environment=environment).decode().strip()

    def commit_files(
        self, branch: str, files: Mapping[str, bytes | None], message: str, author: str, start: str = "main",
        date: str = "",
    ) -> str:  # fmt: skip
        """One commit on `branch`, which starts at `start` when it is new; a content of None removes the file."""
        old = self.resolve(f"refs/heads/{branch}") or ""
        parent = old or self.resolve(start) or ""
        entries = [
            ("100644", self.write_blob(content) if content is not None else "", path)
            for path, content in files.items()
        ]  # fmt: skip
        tree = self.write_tree(parent, entries)
        by = {"name": author, "email": ADDRESS.format(author), "date": date}
        sha = self.write_commit(tree, [parent] if parent else [], message, by)
        self.update_ref(f"refs/heads/{branch}", sha, old)
        return sha

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of both together; None where they are in conflict."""
        try:
            return self.text("merge-tree", "--write-tree", base, head).splitlines()[0]
        except GitError:
            return None

    def archive(self, commit: str) -> bytes:
        """A tar of the files at a commit."""
        return self.run("archive", "--format=tar", commit)


def known(sha: str | None, message: str = "No commit found for SHA") -> str:
    if sha is None:
        raise ApiError(422, message)
    return sha


def _commit(text: str) -> Commit:
    sha, tree, parents, *people, message = text.split("\0", 9)
    author = dict(zip(("name", "email", "date"), people[:3], strict=True))
    committer = dict(zip(("name", "email", "date"), people[3:], strict=True))
    return Commit(sha, tree, tuple(parents.split()), author, committer, message.rstrip("\n"))


def _entry(line: str) -> Entry:
    described, _, path = line.partition("\t")
    mode, kind, sha, size = described.split()
    return Entry(mode, kind, sha, int(size) if size.isdecimal() else None, path)


def _raw(text: str) -> list[tuple[str, str, str, str]]:
    """(letter, previous path, path, sha after) of `git diff --raw -z`."""
    parts = iter(text.rstrip("\0").split("\0")) if text else iter(())
    found = []
    for described in parts:
        fields = described.split()
        letter, sha = fields[4][0], fields[3] if fields[4][0] != "D" else fields[2]
        first = next(parts)
        second = next(parts) if letter in "RC" else first
        found.append((letter, first if letter in "RC" else "", second, sha))
    return found
