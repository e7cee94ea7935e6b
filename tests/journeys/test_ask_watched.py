"""Watched folders and repositories, and the demo's runbooks: in at start, changed, and gone when they are gone."""

import shutil
import subprocess

import pytest

from bot.demo.run import DOCUMENTS, write_demo_documents


@pytest.fixture
def people(ship):
    space = ship.workspace
    return space, space.person("ana"), space.person("ben"), space.person("vera")


def watched(ship, text):
    before = ship.catalogue.read_text().partition("knowledge:")[0]
    ship.catalogue.write_text(f"{before}knowledge:\n{text}")
    ship.restart()


def documents(ship):
    return {one.title: one for one in ship.bot.ask_desk.all_documents()}


def looked_through(ship):
    """What the clock does every few minutes, now."""
    for source in ship.bot.watcher.sources:
        ship.bot.watcher.look_through(source)()


def test_the_demos_runbooks_answer_questions_after_the_first_start(ship, people):
    space, _, _, vera = people
    write_demo_documents(ship.folder / "documents")
    ship.restart()
    count = len(list(DOCUMENTS.glob("*.md")))
    assert count >= 8
    ship.workspace.wait_until(lambda: len(documents(ship)) == count, seconds=60)
    space.type("/ask how do I roll a model back?", as_=vera, channel="#ml")
    answer = space.wait_for_message("#ml", containing="[1]", as_=vera, seconds=30)
    assert "Roll back a model" in answer.plain
    space.type("/ask what is the wifi password of the office?", as_=vera, channel="#ml")
    space.wait_for_message("#ml", containing="I don't know", as_=vera, seconds=30)


def test_a_changed_file_changes_the_answer_and_a_deleted_one_is_gone(ship, people):
    space, ana, _, vera = people
    folder = ship.folder / "runbooks"
    folder.mkdir()
    (folder / "backup.md").write_text("# Backups\n\nThe nightly backup of the registry starts at 01:15.")
    watched(
        ship, '  folders:\n    ours: {path: "${data_dir}/runbooks", channels: ["#ml"], link: "https://wiki.example"}\n'
    )
    space.wait_until(lambda: "Backups" in documents(ship), seconds=60)
    assert documents(ship)["Backups"].channels == ("C0ML",)
    space.type("/ask when does the nightly backup of the registry start?", as_=vera, channel="#ml")
    answer = space.wait_for_message("#ml", containing="01:15", as_=vera, seconds=30)
    assert "https://wiki.example/backup.md" in str(answer.raw)
    space.type("/ask when does the nightly backup of the registry start?", as_=vera, channel="#ops")
    space.wait_for_message("#ops", containing="I don't know", as_=vera, seconds=30)
    (folder / "backup.md").write_text("# Backups\n\nThe nightly backup of the registry starts at 05:45.")
    looked_through(ship)
    space.type("/ask when does the nightly backup of the registry start?", as_=vera, channel="#ml")
    space.wait_for_message("#ml", containing="05:45", as_=vera, seconds=30)
    space.type(f"/ask remove {documents(ship)['Backups'].id}", as_=ana, channel="#ml")
    space.wait_for_ephemeral(containing="Delete it there", as_=ana, channel="#ml")
    (folder / "backup.md").unlink()
    looked_through(ship)
    assert documents(ship) == {}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed, so nothing can be cloned")
def test_a_repository_is_cloned_and_pulled(ship, people):
    space, _, _, vera = people
    work, bare = ship.folder / "work", ship.folder / "handbook.git"
    work.mkdir()
    name = ("-c", "user.name=Ana", "-c", "user.email=ana@shipyard.example")

    def git(*arguments, at=work):
        subprocess.run(["git", *name, *arguments], cwd=at, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (work / "labels.md").write_text("# Labels\n\nLabels are exported every Tuesday by the job export-labels.")
    git("add", ".")
    git("commit", "-qm", "one")
    git("clone", "-q", "--bare", str(work), str(bare))
    watched(ship, f"  git:\n    handbook: {{repository: {bare}}}\n")
    space.wait_until(lambda: "Labels" in documents(ship), seconds=60)
    (work / "labels.md").write_text("# Labels\n\nLabels are exported every Thursday by the job export-labels.")
    git("commit", "-qam", "two")
    git("push", "-q", str(bare), "main")
    looked_through(ship)
    space.type("/ask on which day are labels exported?", as_=vera, channel="#ml")
    space.wait_for_message("#ml", containing="Thursday", as_=vera, seconds=30)


def test_a_file_of_a_watched_folder_can_be_added_by_its_path_and_nothing_else_of_this_machine(ship, people):
    space, _, ben, _ = people
    folder = ship.folder / "runbooks"
    folder.mkdir()
    (folder / "early.md").write_text("# Early\n\nA document that was there at the start.")
    watched(ship, '  folders:\n    ours: {path: "${data_dir}/runbooks", every_minutes: 1440}\n')
    space.wait_until(lambda: "Early" in documents(ship), seconds=60)
    (folder / "late.md").write_text("# Late\n\nA document that came after the start of the bot.")
    for path in ("../shipmate.yaml", "/etc/passwd", str(ship.catalogue), "none.md"):
        space.type(f"/ask add {path}", as_=ben, channel="#ml")
        space.wait_for_message("#ml", containing=f"There is no file {path}", as_=ben, seconds=30)
    space.type("/ask add late.md", as_=ben, channel="#ml")
    space.wait_for_message("#ml", containing="Late was added", as_=ben, seconds=30)
