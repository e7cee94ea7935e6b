"""Keeps Greens and Spoken: what went well since, and what was said where by whom."""

from datetime import UTC, datetime

from sqlalchemy import select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.triage.history import Green, Passed, Reported
from pipelines.triage.places import Said

MOST_GREENS = 100

_spoken = tables.triage_spoken.c


class GreenRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, green: Green) -> None:
        with self._database.writing() as connection:
            insert_once(
                connection, tables.triage_greens, repository=green.repository.lower(), run_id=green.run_id,
                attempt=green.attempt, workflow=green.series, branch=green.line, sha=green.sha,
                run_number=green.number, url=green.url, at=green.at.timestamp(),
            )  # fmt: skip

    def after(self, reported: Reported) -> Passed | None:
        facts, column = reported.triaged.facts, tables.triage_greens.c
        mine = (column.repository == facts.repository.lower()) & (column.workflow == reported.series)
        mine &= (column.sha == facts.sha) | (column.branch == reported.branch)
        query = select(tables.triage_greens).where(mine).order_by(column.at.desc()).limit(MOST_GREENS)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        greens = [
            Green(
                row.repository, row.run_id, row.attempt, row.run_number, row.workflow, row.branch, row.sha, row.url,
                datetime.fromtimestamp(row.at, UTC),
            )
            for row in rows[::-1]
        ]  # fmt: skip
        found = [passed for green in greens if (passed := green.after(reported))]
        return next((one for one in found if one.unchanged), found[0] if found else None)


class SpokenRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, place: str, holder: str, now: datetime, until: datetime) -> bool:
        free = (_spoken.holder == "") | (_spoken.holder == holder) | (_spoken.held_until <= now.timestamp())
        taking = update(tables.triage_spoken).where(_spoken.place == place, free)
        with self._database.writing() as connection:
            insert_once(connection, tables.triage_spoken, place=place, state="", url="", holder="", held_until=0.0)
            return connection.execute(taking.values(holder=holder, held_until=until.timestamp())).rowcount == 1

    def give(self, place: str, holder: str) -> None:
        mine = update(tables.triage_spoken).where(_spoken.place == place, _spoken.holder == holder)
        with self._database.writing() as connection:
            connection.execute(mine.values(holder="", held_until=0.0))

    def said(self, place: str) -> Said | None:
        with self._database.reading() as connection:
            row = connection.execute(select(tables.triage_spoken).where(_spoken.place == place)).first()
        return Said(row.state, row.url) if row and row.state else None

    def say(self, place: str, said: Said) -> None:
        values = {"state": said.state, "url": said.url}
        with self._database.writing() as connection:
            if not insert_once(connection, tables.triage_spoken, place=place, holder="", held_until=0.0, **values):
                connection.execute(update(tables.triage_spoken).where(_spoken.place == place).values(**values))
