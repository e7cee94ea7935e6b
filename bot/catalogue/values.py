"""What the catalogue says, once it has been read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time

from bot.catalogue.knowledge import Knowledge
from pipelines.digest.values import ChannelDigest
from pipelines.drift.alert_rules import AlertRules
from pipelines.drift.folders import RecordSource
from pipelines.drift.sampling import RowLimit
from pipelines.drift.served import Naming
from pipelines.drift.values import WatchSpec
from pipelines.people import Role
from pipelines.retrain.values import GateRule, ModelSpec
from pipelines.triage.routing import CiRules


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody the catalogue knows by a short name. `slack` is a user id or an e-mail address."""

    key: str
    name: str
    slack: str


@dataclass(frozen=True, slots=True)
class Team:
    key: str
    name: str
    channel: str
    members: tuple[str, ...]  # keys of colleagues


@dataclass(frozen=True, slots=True)
class Channel:
    name: str  # "#ml", or an id
    purpose: str


@dataclass(frozen=True, slots=True)
class RoleGrants:
    """Who holds which role: user ids, e-mail addresses, "@handle" or "S…" of user groups. The rest are `everyone`."""

    admin: tuple[str, ...] = ()
    approver: tuple[str, ...] = ()
    engineer: tuple[str, ...] = ()
    everyone: Role = Role.VIEWER

    def by_role(self) -> tuple[tuple[Role, tuple[str, ...]], ...]:
        """Highest role first."""
        return (Role.ADMIN, self.admin), (Role.APPROVER, self.approver), (Role.ENGINEER, self.engineer)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Retrains that the clock orders. `at` is UTC; None means the time in the settings. Days are 0 for Monday."""

    name: str
    models: tuple[str, ...]
    at: time | None
    weekdays: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """shipmate.yaml as values; every name in it that refers to another has been found."""

    models: tuple[ModelSpec, ...]
    people: tuple[Colleague, ...]
    teams: tuple[Team, ...]
    channels: tuple[Channel, ...]
    roles: RoleGrants
    schedules: tuple[Schedule, ...]
    gates: Mapping[str, GateRule]
    knowledge: Knowledge
    digests: tuple[ChannelDigest, ...] = ()
    time_zone: str = "UTC"
    ci: CiRules = field(default_factory=CiRules)
    watches: tuple[WatchSpec, ...] = ()
    alerts: AlertRules = field(default_factory=AlertRules)
    records: tuple[RecordSource, ...] = ()
    naming: Naming = field(default_factory=Naming)
    samples: Mapping[str, RowLimit] = field(default_factory=dict)  # by model
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by model, where they are named

    @property
    def models_by_name(self) -> dict[str, ModelSpec]:
        return {spec.name: spec for spec in self.models}

    @property
    def watches_by_model(self) -> dict[str, WatchSpec]:
        return {watch.model: watch for watch in self.watches}

    @property
    def posting(self) -> dict[str, frozenset[str]]:
        """Each channel in which models post, or the team that owns them -> their names."""
        of_team = {team.name: team.channel for team in self.teams}
        places = [(channel, spec.name) for spec in self.models for channel in (spec.channel, of_team.get(spec.owner))]
        return {
            channel: frozenset(name for place, name in places if place == channel) for channel, _ in places if channel
        }
