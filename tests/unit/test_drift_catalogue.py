"""How the drift of a model is watched, as shipmate.yaml says it; and what is wrong in it, with its line."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.catalogue import DEMO_CATALOGUE, Catalogue, CatalogueError, load_catalogue
from pipelines.drift.values import IssuePlace

PLACE = "    target: diagnosis\n"


def catalogue(folder: Path, *lines: str) -> tuple[Path, str]:
    text = DEMO_CATALOGUE.read_text()
    assert PLACE in text
    path = folder / "shipmate.yaml"
    path.write_text(text.replace(PLACE, PLACE + "".join(f"    {line}\n" for line in lines)))
    return path, path.read_text()


def loaded(folder: Path, *lines: str) -> Catalogue:
    return load_catalogue(catalogue(folder, *lines)[0], Path("/data"))


def test_without_a_word_a_model_is_watched_every_hour_and_nothing_is_approved_by_itself(tmp_path: Path) -> None:
    watch = loaded(tmp_path).watches_by_model["tumour"]
    assert (watch.channel, watch.window, watch.every) == ("#ml", timedelta(hours=24), timedelta(hours=1))
    assert (watch.auto, watch.issues, watch.quiet, watch.time_column) == ("", None, frozenset(), "")


def test_everything_that_can_be_said_is_taken_over(tmp_path: Path) -> None:
    github = "{repository: ours/models, labels: [drift], assignees: [octocat]}"
    told = loaded(
        tmp_path, "time_column: seen_at",
        f"drift: {{window: 7d, every: 15m, channel: ops, gone_after: 3, quiet: [P2], auto: ana, github: {github}}}",
    ).watches_by_model["tumour"]  # fmt: skip
    assert (told.window, told.every, told.channel) == (timedelta(days=7), timedelta(minutes=15), "#ops")
    assert (told.gone_after, told.quiet, told.auto) == (3, frozenset({"P2"}), "Ana Lima")
    assert told.issues == IssuePlace("ours/models", ("drift",), ("octocat",))
    assert told.time_column == "seen_at"
    assert loaded(tmp_path, "drift: {every: never}").watches_by_model["tumour"].every == timedelta(0)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("drift: {every: 1m}", "looks are 5m to 30d apart"),
        ("drift: {every: often}", "minutes, hours or days such as 15m or 1h, or never"),
        ("drift: {window: 90d}", "a window is 1h to 30d"),
        ("drift: {window: 30m}", "a window is 1h to 30d"),
        ("drift: {window: 24}", "must be text"),
        ("drift: {auto: nobody}", "there is no such person"),
        ("drift: {auto: ben}", "who may not approve"),
        ("drift: {auto: true}", "must be text"),
        ("drift: {channel: nowhere}", "not under channels"),
        ("drift: {quiet: [P0]}", "quiet"),
        ("drift: {gone_after: 0}", "gone_after"),
        ("drift: {github: {repository: models}}", "owner/name"),
        ("drift: {github: {}}", "repository is missing"),
        ("drift: {wndow: 24h}", 'Did you mean "window"?'),
        ("time_column: diagnosis", "the target"),
    ],
)
def test_each_mistake_is_told_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    path, text = catalogue(tmp_path, line)
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path, Path("/data"))
    number = text[: text.index(line)].count("\n") + 1
    assert any(said.startswith(f"shipmate.yaml:{number}:") and says in said for said in str(caught.value).splitlines())


def test_the_classes_of_a_model_and_the_models_of_alerts_are_taken_over(tmp_path: Path) -> None:
    path, text = catalogue(tmp_path, "records: {classes: [malignant, benign]}")
    path.write_text(text + "\nalerts: {models: {lump: tumour}}\n")
    known = load_catalogue(path, Path("/data"))
    assert known.classes["tumour"] == ("malignant", "benign")
    assert known.alerts.model("DataDrift", {"model": "lump"}, known.models_by_name) == "tumour"
    path.write_text(text + "\nalerts: {models: {lump: tumor}}\n")
    with pytest.raises(CatalogueError, match="tumour"):
        load_catalogue(path, Path("/data"))
