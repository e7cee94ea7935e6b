"""Records and labels that lie in a folder: read on a schedule, judged, and shown in App Home."""

import json
from datetime import timedelta

import pytest
from drifting import CHANNEL, MODEL, SOON, shifted

RECORDS = """target: diagnosis
    drift: {every: never}
    records:
      files: ["${data_dir}/served/**"]
      labels: ["${data_dir}/truth/*.csv"]
      every_minutes: 1440
      fields: {id: request, timestamp: at, prediction: said, version: served, label: true}
      versions: {rev-00012: 1}
"""


@pytest.fixture
def filed(watched_ship):
    """A bot that is told where records lie, and neither looks nor reads by itself while a story lasts."""
    watched_ship.rewrite(("target: diagnosis\n", RECORDS.replace("label: true}", 'label: "true"}')))
    return watched_ship


def write(watched, name, rows, change=None, version="v1", first=0):
    """Rows of the training table as a served model logs them: one a minute up to now."""
    folder = watched.ship.folder / "served"
    folder.mkdir(exist_ok=True)
    lines = []
    for place in range(first, first + rows):
        row = watched.table[place % len(watched.table)]
        values = {each: float(row[each] or "nan") for each in watched.names}
        features = {each: change(each, value) if change else value for each, value in values.items()}
        at = (watched.clock.time - timedelta(minutes=place + 1)).isoformat()
        lines.append(
            json.dumps({"request": f"q{place}", "at": at, "said": row["diagnosis"], "served": version, **features})
        )
    with (folder / name).open("a") as stream:
        stream.write("\n".join(lines) + "\n")


def read(watched):
    """What the schedule does."""
    [source] = watched.ship.bot.intake.sources
    return watched.ship.bot.intake.folders.read(source)


def test_files_are_read_once_and_judged_and_late_labels_meet_them(filed):
    write(filed, "a.jsonl", 300, shifted(1.6))
    assert read(filed) == 300
    write(filed, "a.jsonl", 100, shifted(1.6), version="rev-00012", first=300)
    write(filed, "b.jsonl", 50, shifted(1.6), version="blue", first=400)
    assert (read(filed), read(filed)) == (150, 0)
    filed.space.type(f"/drift {MODEL}", as_=filed.vera, channel=CHANNEL)
    told = filed.space.wait_for_ephemeral(containing="Data drift", as_=filed.vera, channel=CHANNEL, seconds=SOON).plain
    assert "version 1" in told
    assert "Records name the version blue, which the registry does not know" in told
    truth = filed.ship.folder / "truth"
    truth.mkdir()
    (truth / "t.csv").write_text("request,true\n" + "".join(f"q{n},{filed.table[n]['diagnosis']}\n" for n in range(60)))
    assert read(filed) == 60
    hours = filed.ship.bot.ledger.profiles.windows(MODEL, filed.clock.time - timedelta(days=2), filed.clock.time)
    assert sum(hour.total.rows for hour in hours) == 450
    assert sum(hour.total.outcomes.labelled for hour in hours) == 60


def test_a_broken_file_is_told_once_in_the_models_channel(filed):
    write(filed, "a.jsonl", 20)
    with (filed.ship.folder / "served" / "a.jsonl").open("a") as stream:
        stream.write("<!channel> {rubbish\n")
    (filed.ship.folder / "served" / "b.parquet").write_bytes(b"PAR1 and no more")
    assert read(filed) == 20
    broken = filed.message("a.jsonl")
    assert "Line 21 is no JSON. 1 of its rows were left out." in broken.plain
    assert "not a well-formed Parquet file" in filed.message("b.parquet").plain
    read(filed)
    filed.ship.restart()
    read(filed)
    assert len([seen for seen in filed.messages() if "is broken" in seen.plain]) == 2
    assert "<!channel>" not in "".join(seen.plain for seen in filed.messages())


def test_looks_are_shown_at_home_as_a_trend(filed):
    for number in (1, 2):
        write(filed, f"{number}.jsonl", 200, shifted(1.6), first=number * 200)
        read(filed)
        filed.clock.time += timedelta(minutes=30)
        filed.ship.bot.drift.workflow.look(MODEL, f"by-hand-{number}", "a person")
        filed.space.wait_until(lambda known=number: len(looks(filed)) == known or None, SOON)
    filed.message("Data drift")
    home = filed.space.wait_until(lambda: shown_at_home(filed), SOON)
    assert "data drift" in home
    assert "PSI" in home


def looks(watched):
    return watched.ship.bot.ledger.looks.between(watched.clock.time - timedelta(days=1), watched.clock.time)


def shown_at_home(watched):
    seen = watched.space.home(as_=watched.vera)
    return seen.plain if seen and "Drift" in seen.plain else None
