"""Keeps TriageHistory and TriageSightings: a row a report, and beside it what people did with it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, select, true, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_audit import append_audit
from bot.clients.ledger_database import Database, insert_once
from pipelines.audit import AuditEntry
from pipelines.json_values import from_json, to_json
from pipelines.ports import Place
from pipelines.triage.history import Green, Mark, MarkName, Passed, Reported, Sightings
from pipelines.triage.places import GithubPlace

WEEK = timedelta(days=7)
MOST_UNRESOLVED = 500
MOST_LEADS = 200
MOST_AT_A_PLACE = 200
MOST_DOUBTS = 3

_row = tables.triage_reports.c


class TriageRows:
    """What changes after the post lies in columns and marks of its own; `body` stays as it was first stored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, reported: Reported) -> Reported:
        body = json.dumps(to_json(replace(reported, place=None, passed=None, storm=None)), allow_nan=False)
        with self._database.writing() as connection:
            insert_once(connection, tables.triage_reports, **_columns(reported), body=body)
            return _read(connection, _by_key(reported.key))[0]

    def get(self, key: str) -> Reported | None:
        with self._database.reading() as connection:
            return _only(_read(connection, _by_key(key)))

    def mark(self, key: str, name: MarkName, mark: Mark, entry: AuditEntry | None = None) -> Reported | None:
        values = {"at": mark.at.timestamp(), "words": mark.words}
        column = tables.triage_marks.c
        mine = (column.key == key) & (column.name == name)
        with self._database.writing() as connection:
            if not _read(connection, _by_key(key)):
                return None
            if name == "wrong":
                connection.execute(delete(tables.triage_marks).where(mine, column.by == mark.by))
            if name == "wrong" or connection.execute(select(column.key).where(mine)).first() is None:
                connection.execute(insert(tables.triage_marks).values(key=key, name=name, by=mark.by, **values))
                if entry:
                    append_audit(connection, entry)
            return _read(connection, _by_key(key))[0]

    def place(self, key: str, place: Place, storm: Place | None = None) -> None:
        stands = {"place_channel": place.channel, "place_ts": place.ts} | ({"storm_ts": storm.ts} if storm else {})
        with self._database.writing() as connection:
            connection.execute(update(tables.triage_reports).where(_row.key == key).values(**stands))

    def passed(self, key: str, passed: Passed) -> Reported | None:
        better = _row.unchanged.is_distinct_from(true()) if passed.unchanged else _row.unchanged.is_(None)
        change = update(tables.triage_reports).where(_row.key == key, better)
        with self._database.writing() as connection:
            connection.execute(change.values(unchanged=passed.unchanged, passed=json.dumps(to_json(passed))))
            return _only(_read(connection, _by_key(key)))

    def sightings(self, repository: str, fingerprint: str, before: datetime, but: int) -> Sightings:
        if not fingerprint:
            return Sightings()
        alike = (_row.repository == repository.lower()) & (_row.fingerprint == fingerprint)
        alike &= (_row.at <= before.timestamp()) & (_row.run_id != but)
        runs = select(func.count(_row.run_id.distinct())).where(alike)
        first = select(_row.run_number, _row.workflow, _row.body).where(alike).order_by(_row.at, _row.key).limit(1)
        with self._database.reading() as connection:
            oldest = connection.execute(first).first()
            if oldest is None:
                return Sightings()
            week = connection.execute(runs.where(_row.at > (before - WEEK).timestamp())).scalar_one()
            flaky = connection.execute(runs.where(_row.unchanged.is_(True))).scalar_one()
            doubts = _doubts(connection, alike)
        name = from_json(Reported, json.loads(oldest.body)).triaged.facts.workflow
        return Sightings(week, oldest.run_number, name, flaky, doubts)

    def leads(self, channel: str, since: datetime) -> Sequence[Reported]:
        mine = (_row.channel == channel) & (_row.lead == "") & (_row.at >= since.timestamp()) & _row.passed.is_(None)
        return self._found(mine, MOST_LEADS)

    def unresolved(self, green: Green) -> Sequence[Reported]:
        series = (_row.repository == green.repository.lower()) & (_row.workflow == green.series)
        of_it = _row.branch == green.line
        if not green.of_fork:
            of_it |= _row.sha == green.sha
        open_yet = _row.unchanged.is_(None) | ((_row.sha == green.sha) & _row.unchanged.is_(False))
        return self._found(series & of_it & open_yet, MOST_UNRESOLVED)

    def at_place(self, place: GithubPlace) -> Sequence[Reported]:
        mine = (_row.repository == place.repository.lower()) & (_row.channel == "")
        if place.kind == "pull request":
            mine &= _row.pull_request == place.number
        elif place.kind == "commit":
            mine &= (_row.sha == place.sha) & (_row.pull_request == 0)
        else:
            mine &= (_row.workflow == place.series) & (_row.sameness == place.sameness) & _row.on_default_branch
        return self._found(mine, MOST_AT_A_PLACE)

    def _found(self, wanted: ColumnElement[bool], limit: int) -> Sequence[Reported]:
        """The newest, oldest first."""
        order = (_row.at.desc(), _row.run_number.desc(), _row.attempt.desc(), _row.key)
        with self._database.reading() as connection:
            found = _read(connection, select(tables.triage_reports).where(wanted).order_by(*order).limit(limit))
        return found[::-1]

    def forget(self, before: datetime) -> int:
        moment = before.timestamp()
        with self._database.writing() as connection:
            connection.execute(delete(tables.triage_marks).where(tables.triage_marks.c.at < moment))
            connection.execute(delete(tables.triage_greens).where(tables.triage_greens.c.at < moment))
            return connection.execute(delete(tables.triage_reports).where(_row.at < moment)).rowcount


def _doubts(connection: Connection, alike: ColumnElement[bool]) -> tuple[Mark, ...]:
    """The newest words of people on reports like these, newest first."""
    mark = tables.triage_marks.c
    said = select(mark.by, mark.at, mark.words).join_from(
        tables.triage_marks, tables.triage_reports, mark.key == _row.key
    )
    newest = said.where(alike, mark.name == "wrong").order_by(mark.at.desc(), mark.by).limit(MOST_DOUBTS)
    rows = connection.execute(newest).all()
    return tuple(Mark(row.by, datetime.fromtimestamp(row.at, UTC), row.words) for row in rows)


def _columns(reported: Reported) -> dict[str, Any]:
    facts, order, report = reported.triaged.facts, reported.triaged.order, reported.triaged.report
    place, passed, storm = reported.place, reported.passed, reported.storm
    return {
        "key": reported.key, "repository": facts.repository.lower(), "workflow": reported.series,
        "branch": reported.branch, "sha": facts.sha, "run_id": order.reference.run_id, "run_number": facts.number,
        "attempt": facts.attempt, "pull_request": facts.pull_request, "sameness": reported.sameness,
        "on_default_branch": reported.on_default_branch, "channel": order.channel,
        "fingerprint": report.fingerprint, "kind": report.kind,
        "severity": reported.severity, "at": reported.at.timestamp(), "lead": reported.lead,
        "place_channel": place.channel if place else None, "place_ts": place.ts if place else None,
        "storm_ts": storm.ts if storm else None,
        "unchanged": passed.unchanged if passed else None, "passed": json.dumps(to_json(passed)) if passed else None,
    }  # fmt: skip


def _by_key(key: str) -> Select[Any]:
    return select(tables.triage_reports).where(_row.key == key)


def _only(found: Sequence[Reported]) -> Reported | None:
    return found[0] if found else None


def _read(connection: Connection, query: Select[Any]) -> list[Reported]:
    rows = connection.execute(query).all()
    keys = [row.key for row in rows]
    mark = tables.triage_marks.c
    told = select(tables.triage_marks).where(mark.key.in_(keys)).order_by(mark.at, mark.by)
    under = select(_row.lead, func.count().label("count")).where(_row.lead.in_(keys)).group_by(_row.lead)
    marks = connection.execute(told).all() if keys else []
    repeats = {row.lead: int(row[1]) for row in connection.execute(under)} if keys else {}
    return [_reported(row, [one for one in marks if one.key == row.key], repeats.get(row.key, 0)) for row in rows]


def _reported(row: Row[Any], marks: Sequence[Row[Any]], repeats: int) -> Reported:
    def named(name: MarkName) -> tuple[Mark, ...]:
        return tuple(
            Mark(one.by, datetime.fromtimestamp(one.at, UTC), one.words) for one in marks if one.name == name
        )  # fmt: skip

    return replace(
        from_json(Reported, json.loads(row.body)),
        place=Place(row.place_channel, row.place_ts) if row.place_ts else None,
        storm=Place(row.place_channel, row.storm_ts) if row.storm_ts else None,
        passed=from_json(Passed, json.loads(row.passed)) if row.passed else None,
        acknowledged=next(iter(named("acknowledged")), None), rerun=next(iter(named("rerun")), None),
        wrong=named("wrong"), repeats=repeats,
    )  # fmt: skip
