"""Logs in Slack: which files are logs, what comes out of archives, and cards that Slack takes whatever a log says."""

import gzip
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from bot.cards import draw, draw_form
from bot.cards.triage_logs import log_pages
from bot.sandbox.slack.blockkit import judge_blocks, judge_view
from pipelines.errors import Refused
from pipelines.evidence.values import Block, Extract, Line
from pipelines.people import Person
from pipelines.ports import Place
from pipelines.reports import Cause, Evidence, Report
from pipelines.requests import Mention, SharedFile, Shortcut
from pipelines.triage.acts import Doubt, DoubtForm, Rerun, RerunEnded, RerunPlan, read_doubt
from pipelines.triage.log_desk import LogDesk, wanted_logs
from pipelines.triage.log_files import fenced, names_log, unpacked
from pipelines.triage.log_orders import (
    LogFile,
    LogOrder,
    LogsBegun,
    LogsNotRead,
    LogsOffered,
    LogsReported,
    ReadingLogs,
)

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
BEN = Person("U0BEN", "Ben")
HOSTILE = "<!channel> <https://evil.example|click> ```\n:white_check_mark: \u202e" + "x" * 9_000
TEXTS = ["build.log", "", "&<>" * 3_000, "`" * 5_000, "船" * 5_000, HOSTILE]


def packed(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def read(tmp_path: Path, content: bytes, most_bytes: int = 1_000_000) -> tuple[dict[str, bytes], str]:
    path = tmp_path / "0"
    path.write_bytes(content)
    found = unpacked("a", path, tmp_path, most_bytes)
    return {name: log.read_bytes() for name, log in found.logs}, " ".join(found.unseen)


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("build.log", True), ("BUILD.LOG", True), ("a.log.gz", True), ("logs.zip", True), ("pod.log.1", True),
        ("stderr", True), ("x.log-20261126", True), ("a.txt", True), ("catalog.md", False), ("plot.png", False),
        ("log", False), ("", False), ("notes.txt.pdf", False),
    ],
)  # fmt: skip
def test_a_name_tells_whether_a_file_is_usually_a_log(name: str, log: bool) -> None:
    assert names_log(name) is log


def test_words_beside_a_text_are_about_it_and_without_words_nobody_knows() -> None:
    def wanted(text: str, *names: str) -> str:
        files = tuple(SharedFile(name, name, 1, "", "") for name in names)
        return wanted_logs(Mention(text, BEN, Place("C", "1"), "1", files=files))

    assert wanted("why?", "a.txt") == "analyse"
    assert wanted("", "a.log") == "analyse"
    assert wanted("", "a.txt", "b.log") == "analyse"
    assert wanted(" ", "a.txt") == "offer"
    assert wanted("why?", "guide.md") == ""
    assert wanted("why?") == ""


def test_an_archive_cannot_write_outside_its_folder_nor_more_than_it_may(tmp_path: Path) -> None:
    logs, unseen = read(
        tmp_path, packed({"../../evil.log": b"x", "/etc/passwd": b"y", "ok/a.log": gzip.compress(b"z")})
    )
    assert sorted(logs.values()) == [b"x", b"y", b"z"]
    assert unseen == ""
    assert not (tmp_path.parent.parent / "evil.log").exists()
    many = packed({f"{number}.log": b"x" * 400 for number in range(30)})
    logs, unseen = read(tmp_path, many)
    assert (len(logs), "10 more files in a." in unseen) == (20, True)
    logs, unseen = read(tmp_path, many, most_bytes=1_000)
    assert (len(logs), "more than 1,000 bytes together" in unseen) == (2, True)
    logs, unseen = read(tmp_path, packed({"a.gz": gzip.compress(b"x" * 5_000), "b.log": b"y"}), most_bytes=2_000)
    assert (logs, "once it is unpacked" in unseen) == ({"a: b.log": b"y"}, True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\0\0", "no text"), (packed({}), "holds no file"), (b"PK\x03\x04 not at all", "cannot be unpacked"),
        (gzip.compress(b"\x7fELF\0\0"), "holds no text"), (packed({"a/b.zip": packed({"c": b"x"})}), "in an archive"),
    ],
)  # fmt: skip
def test_what_is_no_log_is_told_and_not_read(tmp_path: Path, content: bytes, says: str) -> None:
    logs, unseen = read(tmp_path, content)
    assert logs == {}
    assert says in unseen


def test_what_stands_in_a_block_is_the_log_and_without_one_all_of_it() -> None:
    assert fenced("look:\n```\na\nb\n```\nand ```c```") == "a\nb\nc"
    assert fenced("no block") == "no block"
    assert fenced("``` open") == " open"
    assert fenced("``````") == "``````"


class NowhereThere:
    def reaches(self, _channel: str) -> bool:
        return False


def desk() -> LogDesk:
    nothing = cast("Any", None)  # refused before anything is begun
    return LogDesk(nothing, cast("Any", NowhereThere()), nothing, list, nothing)


def test_what_cannot_be_read_or_answered_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refused, match="pasted log or with log files"):
        desk().analyse(Shortcut("triage.analyse", BEN, "C0ML", Place("C0ML", "1"), " \n"))
    with pytest.raises(Refused, match="direct message"):
        desk().analyse(Shortcut("triage.analyse", BEN, "C0ML", Place("C0ML", "1"), "error: x", thread="1"))


def order(text: str) -> LogOrder:
    return LogOrder("C0ML", "1.2", "1.2", text, tuple(LogFile("F", text) for _ in range(6)), "U0BEN", NOW)


def reported(text: str, causes: int) -> LogsReported:
    evidence = tuple(Evidence(f"job {number % 2} {text}", number, text) for number in range(1, 13))
    found = tuple(Cause(f"{number} {text}", evidence, 0.82, "log") for number in range(causes))
    block = Block(tuple(Line(number, text) for number in range(1, 61)), "ranker", 0.9)
    report = Report(text, "test", found, 0.8, (text,) * 9 if causes else (), text, (text,) * 3, (text,), notice=text)
    return LogsReported(order(text), report, Extract((block,), 10, ("test",), "ci", 60, 60), (text,) * 9)


@pytest.mark.parametrize("text", TEXTS)
def test_slack_takes_every_card_and_nothing_in_it_acts(text: str) -> None:
    plan = RerunPlan(text or "o/n", 7, 8, 1, (text,) * 40)
    rerun = Rerun("id", plan, text, "key", "U0BEN", text, NOW, settled_by=text, settled_at=NOW, reason=text)
    stages = ("awaiting approval", "approved", "started", "rejected", "withdrawn", "expired", "failed")
    reruns = [Rerun(**{**fields_of(rerun), "stage": stage}) for stage in stages]
    values = [
        LogsBegun(order(text)), ReadingLogs(order(text)), LogsNotRead(order(text), text), reported(text, 3),
        reported(text, 0), LogsOffered((text,) * 10, "[]", "[]"), *log_pages(reported(text, 3)), *reruns,
        *map(RerunEnded, reruns),
    ]  # fmt: skip
    for value in values:
        card = draw(value)
        assert judge_blocks(list(card.blocks), "message") == [], value
        raw = str(card.blocks)
        assert "<!channel>" not in raw
        assert "<https://evil.example" not in raw
        assert sum(len(str(block)) for block in card.blocks) < 16_000
    for causes in ((), (text,), (text,) * 9):
        view = draw_form(DoubtForm("key", causes))
        assert view is not None
        assert judge_view(dict(view)) == []


def fields_of(rerun: Rerun) -> dict[str, Any]:
    return {name: getattr(rerun, name) for name in Rerun.__dataclass_fields__}


def test_words_of_people_come_back_as_they_were_written() -> None:
    for doubt in (Doubt(0, ""), Doubt(2, "the mirror was down"), Doubt(3, ""), Doubt(1, "2 of them")):
        assert read_doubt(doubt.written()) == doubt
    assert read_doubt("no number") == Doubt(0, "no number")
