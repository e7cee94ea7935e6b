"""The catalogue shipmate.yaml: what the bot works on, and who may do what."""

from datetime import time, timedelta
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from bot.catalogue.ci import ci_rules
from bot.catalogue.drift import RecordsEntry
from bot.catalogue.entries import CatalogueFile, DigestEntry, GateEntry, ModelEntry, ScheduleEntry, Weekday
from bot.catalogue.knowledge import Knowledge, WatchedSource
from bot.catalogue.mistakes import CatalogueError, Mistake, repaired, shape_mistakes
from bot.catalogue.reading import Document, Unreadable, read_document
from bot.catalogue.references import DATA_DIR, References, channel_key
from bot.catalogue.shapes import channel_name
from bot.catalogue.spans import span_of
from bot.catalogue.values import Catalogue, Channel, Colleague, RoleGrants, Schedule, Team
from pipelines.digest.values import ChannelDigest
from pipelines.digest.wording import known_zone, parse_rhythm
from pipelines.drift.alert_rules import AlertRules
from pipelines.drift.folders import RecordSource
from pipelines.drift.records import Fields
from pipelines.drift.sampling import RowLimit
from pipelines.drift.served import Naming
from pipelines.drift.values import IssuePlace, WatchSpec
from pipelines.people import Role
from pipelines.retrain.values import GateRule, ModelSpec

__all__ = [
    "Catalogue", "CatalogueError", "Channel", "Colleague", "Mistake", "RoleGrants", "Schedule", "Team",
    "catalogue_schema", "load_catalogue",
]  # fmt: skip

DEMO_CATALOGUE = Path(__file__).parent.parent / "demo" / "shipmate.yaml"


def load_catalogue(path: Path, data_dir: Path) -> Catalogue:
    """Read the catalogue. Raises CatalogueError with every mistake: file, line, and what to write.

    `data_dir` is what `${data_dir}` stands for; other relative data paths start at the catalogue's folder.
    """
    try:
        document = read_document(path)
    except Unreadable as fault:
        raise CatalogueError(path.name, [Mistake(fault.line, fault.text)]) from None
    return _Builder(_checked(path, document), path.absolute().parent, data_dir).catalogue()


def catalogue_schema() -> dict[str, Any]:
    """The JSON schema of shipmate.yaml, for editors."""
    schema = CatalogueFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Shipmate catalogue"}


def _checked(path: Path, document: Document) -> CatalogueFile:
    mistakes: list[Mistake] = []
    file: CatalogueFile | None = None
    try:
        file = CatalogueFile.model_validate(document.plain)
    except ValidationError as error:
        placed = list(shape_mistakes(error, document))
        mistakes = [mistake for _, mistake in placed]
        file = repaired(document.plain, [where for where, _ in placed])
    if file is not None:
        lines = {mistake.line for mistake in mistakes}
        mistakes += [found for found in References(file, document).mistakes() if found.line not in lines]
    if mistakes or file is None:
        raise CatalogueError(path.name, mistakes)
    return file


class _Builder:
    """From a file without mistakes to the values that the bot works with."""

    def __init__(self, file: CatalogueFile, folder: Path, data_dir: Path) -> None:
        self._file = file
        self._folder = folder
        self._data_dir = data_dir
        self._nightly = {name for schedule in file.schedules.values() for name in schedule.retrain}

    def catalogue(self) -> Catalogue:
        file = self._file
        return Catalogue(
            models=tuple(self._model(name, entry) for name, entry in file.models.items()),
            people=tuple(Colleague(key, person.name, person.slack) for key, person in file.people.items()),
            teams=tuple(
                Team(key, team.name, channel_name(team.channel), tuple(team.members))
                for key, team in file.teams.items()
            ),
            channels=tuple(Channel(channel_name(name), purpose) for name, purpose in file.channels.items()),
            roles=self._roles(),
            schedules=tuple(_schedule(name, entry) for name, entry in file.schedules.items()),
            gates={name: _rule(gate) for name, gate in file.gates.items()},
            knowledge=self._knowledge(),
            digests=tuple(self._digest(channel, entry) for channel, entry in file.digests.items()),
            time_zone=self._zone(),
            ci=ci_rules(
                file.ci,
                {key: person.slack for key, person in file.people.items()},
                set(map(channel_key, file.channels)),
            ),
            watches=tuple(self._watch(name, entry) for name, entry in file.models.items()),
            alerts=AlertRules(dict(file.alerts.names), tuple(file.alerts.labels), dict(file.alerts.models)),
            records=tuple(
                self._records(name, entry)
                for name, entry in file.models.items()
                if entry.records.files or entry.records.labels
            ),
            naming=Naming(
                {
                    name: {served: str(version) for served, version in entry.records.versions.items()}
                    for name, entry in file.models.items()
                }
            ),
            samples={name: _limit(entry.records) for name, entry in file.models.items()},
            classes={name: tuple(entry.records.classes) for name, entry in file.models.items()},
        )

    def _records(self, name: str, model: ModelEntry) -> RecordSource:
        entry, named = model.records, model.records.fields
        return RecordSource(
            model=name, channel=channel_name(model.channel), files=tuple(self._place(uri) for uri in entry.files),
            labels=tuple(self._place(uri) for uri in entry.labels), every=timedelta(minutes=entry.every_minutes),
            fields=Fields(
                named.id, named.timestamp, named.prediction, named.confidence, named.version, frozenset(entry.ignore)
            ),
            label=named.label,
        )  # fmt: skip

    def _knowledge(self) -> Knowledge:
        entry = self._file.knowledge
        folders = [
            WatchedSource(name, self._place(one.path), one.link, _channels(one.channels), one.every_minutes)
            for name, one in entry.folders.items()
        ]
        repositories = [
            WatchedSource(name, self._repository(one.repository), one.link, _channels(one.channels), one.every_minutes)
            for name, one in entry.git.items()
        ]
        return Knowledge(tuple(folders), tuple(repositories))

    def _repository(self, repository: str) -> str:
        """A folder is found from the catalogue's; an address, also in the form host:path, stays as it is."""
        return repository if ":" in repository else self._place(repository)

    def _model(self, name: str, entry: ModelEntry) -> ModelSpec:
        gate = self._file.gates[entry.gate] if isinstance(entry.gate, str) else entry.gate
        return ModelSpec(
            name=name, problem=entry.problem, data=self._place(entry.data), target=entry.target,
            owner=self._owner(entry.owner), channel=channel_name(entry.channel), gate=_rule(gate),
            description=entry.description, trainer=entry.trainer, command=tuple(entry.command), runner=entry.runner,
            data_roots=tuple(self._place(root) for root in entry.data_roots),
            drop_columns=tuple(entry.drop_columns), time_column=entry.time_column or "",
            positive_label=entry.positive_label, seed=entry.seed,
            search_candidates=entry.search_candidates, folds=entry.folds, memory_limit_mb=entry.memory_limit_mb,
            timeout_minutes=entry.timeout_minutes, cost_per_hour=entry.cost_per_hour, promotion=entry.promotion,
            approvals_needed=entry.approval.needed, requester_may_approve=entry.approval.requester_may_approve,
            approval_hours=entry.approval.hours, nightly=name in self._nightly,
        )  # fmt: skip

    def _watch(self, name: str, model: ModelEntry) -> WatchSpec:
        entry = model.drift
        github = entry.github
        return WatchSpec(
            model=name, channel=channel_name(entry.channel or model.channel), window=span_of(entry.window),
            every=span_of(entry.every) if entry.every != "never" else timedelta(0), gone_after=entry.gone_after,
            quiet=frozenset(entry.quiet), time_column=model.time_column or "",
            auto=self._file.people[entry.auto].name if entry.auto else "",
            issues=IssuePlace(github.repository, tuple(github.labels), tuple(github.assignees)) if github else None,
        )  # fmt: skip

    def _digest(self, channel: str, entry: DigestEntry) -> ChannelDigest:
        return ChannelDigest(channel_name(channel), parse_rhythm(entry.when, self._zone()), entry.quiet)

    def _zone(self) -> str:
        return known_zone(self._file.time_zone) or "UTC"

    def _place(self, uri: str) -> str:
        filled = uri.replace(f"${{{DATA_DIR}}}", str(self._data_dir))
        return filled if "://" in filled else str(self._folder / Path(filled).expanduser())

    def _owner(self, key: str) -> str:
        person = self._file.people.get(key)
        return person.name if person else self._file.teams[key].name

    def _roles(self) -> RoleGrants:
        roles = self._file.roles
        return RoleGrants(
            admin=self._grants(roles.admin),
            approver=self._grants(roles.approver),
            engineer=self._grants(roles.engineer),
            everyone=Role[roles.everyone.upper()],
        )

    def _grants(self, names: list[str]) -> tuple[str, ...]:
        people = self._file.people
        return tuple(people[name].slack if name in people else name for name in names)


def _channels(names: list[str]) -> tuple[str, ...]:
    return tuple(channel_name(name) for name in names)


def _limit(entry: RecordsEntry) -> RowLimit:
    sample = entry.sample
    return RowLimit(sample.rows, sample.megabytes * 1_000_000, timedelta(days=sample.days), entry.remember)


def _rule(gate: GateEntry) -> GateRule:
    return GateRule(
        metric=gate.metric,
        thresholds=dict(gate.thresholds),
        not_worse_than_champion=gate.not_worse_than_champion,
        tolerance=gate.tolerance,
    )


def _schedule(name: str, entry: ScheduleEntry) -> Schedule:
    days = get_args(Weekday)
    return Schedule(
        name=name,
        models=tuple(entry.retrain),
        at=time.fromisoformat(entry.at) if entry.at else None,
        weekdays=tuple(sorted({days.index(day) for day in entry.days})) or tuple(range(7)),
    )
