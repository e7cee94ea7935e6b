"""The shape of shipmate.yaml: what may be written, of which type, within which bounds.

The docstring under a field is its description in the JSON schema; its first example is what a mistake suggests.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from bot.catalogue.ci import CiEntry
from bot.catalogue.drift import AlertsEntry
from bot.catalogue.knowledge import KnowledgeEntry
from bot.catalogue.shapes import ChannelName, Entry, Name, Reference, SlackUser, Text
from pipelines.retrain.values import Problem, PromotionRule, RunnerKind

SPAN = r"^[1-9]\d{0,3}\s*[mhd]$"
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class GateEntry(Entry):
    metric: str = Field(examples=["roc_auc"])
    """The metric that decides and that is compared with the champion."""
    thresholds: dict[str, float] = Field({}, examples=["{roc_auc: 0.75}"])
    """Metric and limit: the least that is accepted, or the most for an error such as rmse."""
    not_worse_than_champion: bool = Field(default=True, examples=["true"])
    """Whether a new version must also hold against the champion on the same test rows."""
    tolerance: float = Field(0.0, ge=0, le=0.5, examples=["0.01"])
    """How much worse than the champion, relative, still counts as not worse: 0.01 is one percent."""


class ApprovalEntry(Entry):
    needed: int = Field(1, ge=1, le=5, examples=["1"])
    """How many different people must say yes."""
    requester_may_approve: bool = Field(default=False, examples=["false"])
    """Whether the person who asked may also say yes."""
    hours: float = Field(24.0, gt=0, le=24 * 30, examples=["24"])
    """After how many hours an unanswered request expires."""


class IssuesEntry(Entry):
    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", examples=["ours/models"])
    """`owner/name` of the repository that gets the issues; the bot's GitHub token must be let into it."""
    labels: list[Text] = Field([], examples=["[drift]"])
    """Labels of the issues, besides the one by which the bot finds them again."""
    assignees: list[Text] = Field([], examples=["[octocat]"])
    """GitHub accounts that the issues are assigned to."""


class DriftEntry(Entry):
    window: str = Field("24h", pattern=SPAN, examples=["24h"])
    """How much is judged at once: hours or days, `6h` to `30d`."""
    every: str = Field("1h", pattern=rf"{SPAN}|^never$", examples=["1h"])
    """How often it is looked by itself: minutes, hours or days, or `never`."""
    channel: ChannelName | None = Field(None, examples=['"#ml"'])
    """Where drift is reported; the model's own channel when left out."""
    gone_after: int = Field(2, ge=1, le=48, examples=["2"])
    """How many looks in a row must see none before it is gone."""
    quiet: list[Literal["P1", "P2"]] = Field([], examples=["[P2]"])
    """Urgencies that are kept and not posted."""
    auto: Reference | None = Field(None, examples=["ana"])
    """The person of this file, an approver, who lets the bot retrain at P0 without being asked; off when left out."""
    github: IssuesEntry | None = Field(None, examples=["{repository: ours/models}"])
    """Where P1 opens an issue; Slack only when left out."""


def _gate_kind(value: Any) -> str:
    return "(name)" if isinstance(value, str) else "(rules)"


Gate = Annotated[Annotated[str, Tag("(name)")] | Annotated[GateEntry, Tag("(rules)")], Discriminator(_gate_kind)]


class ModelEntry(Entry):
    problem: Problem = Field(examples=["classification"])
    """What is predicted: a number (regression) or a class (classification)."""
    data: str = Field(min_length=1, examples=["${data_dir}/churn.csv"])
    """CSV or Parquet: a path, an URL or s3://…; a relative path starts at the catalogue's folder."""
    target: str = Field(min_length=1, examples=["churned"])
    """The column to predict."""
    owner: Reference = Field(examples=["ana"])
    """A person or team of this file, who answers for the model."""
    channel: ChannelName = Field(examples=['"#ml"'])
    """Where retrains by schedule are announced."""
    gate: Gate = Field(examples=["{metric: roc_auc, thresholds: {roc_auc: 0.75}}"])
    """When a new version is good enough: rules, or the name of a gate below `gates`."""
    description: str = Field("", max_length=300, examples=["Who leaves within 90 days"])
    """One line for people."""
    trainer: str = Field("builtin", pattern=r"^(builtin|image:\S+|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$", examples=["builtin"])
    """`builtin`, `package.module:function`, or `image:NAME` with a command."""
    command: list[str] = Field([], examples=['["python", "train.py"]'])
    """What an image runs."""
    runner: RunnerKind = Field("local", examples=["local"])
    """Where training runs: beside the bot, as a Kubernetes job, or as a GitHub workflow."""
    data_roots: list[str] = Field([], examples=['["${data_dir}/archive"]'])
    """Other folders that `/retrain MODEL data=…` may point into."""
    drop_columns: list[str] = Field([], examples=["[customer_id]"])
    """Columns that training must not see."""
    time_column: str | None = Field(None, min_length=1, examples=["ordered_at"])
    """The column that says when a row is from: with it, a retrain can take recent rows alone."""
    positive_label: str | None = Field(None, examples=['"yes"'])
    """The class that precision and recall are about, where there are two."""
    seed: int = Field(7, ge=0, le=2**32 - 1, examples=["7"])
    """Makes a run repeatable."""
    search_candidates: int = Field(8, ge=1, le=200, examples=["8"])
    """How many settings the search tries."""
    folds: int = Field(5, ge=2, le=20, examples=["5"])
    """Parts of the cross-validation."""
    memory_limit_mb: int = Field(2048, ge=256, le=1_048_576, examples=["2048"])
    """Memory that training may use."""
    timeout_minutes: int = Field(60, ge=1, le=60 * 24 * 3, examples=["60"])
    """How long training may take."""
    cost_per_hour: float = Field(0.0, ge=0, le=10_000, examples=["0.40"])
    """What an hour of training costs, for the plan that people approve."""
    approval: ApprovalEntry = Field(ApprovalEntry(), examples=["{needed: 2}"])
    """Who must say yes, and by when."""
    promotion: PromotionRule = Field("after gate", examples=["ask"])
    """When a new version becomes champion: once it has passed the gate, or when somebody says yes to it (ask). A
    retrain because of drift always asks."""
    drift: DriftEntry = Field(DriftEntry(), examples=["{every: 1h}"])
    """How its drift is watched, and who is told."""


class PersonEntry(Entry):
    name: Text = Field(examples=["Ana Lima"])
    """As colleagues call them."""
    slack: SlackUser = Field(examples=["ana@example.org"])
    """Their Slack user id or the e-mail address of their account."""


class TeamEntry(Entry):
    name: Text = Field(examples=["Growth"])
    """As colleagues call it."""
    channel: ChannelName = Field(examples=['"#ml"'])
    """Where the team reads."""
    members: list[Reference] = Field([], examples=["[ana, ben]"])
    """People of this file."""


class RolesEntry(Entry):
    """Each role may do all that the roles below it may. Name people of this file, Slack user ids, e-mail addresses,
    or user groups as "@handle"."""

    admin: list[Reference] = Field([], examples=["[ana]"])
    """May change what the bot works on."""
    approver: list[Reference] = Field([], examples=['[ana, "@ml-leads"]'])
    """May approve what others ask for."""
    engineer: list[Reference] = Field([], examples=["[ben]"])
    """May ask for retrains."""
    everyone: Literal["viewer", "engineer"] = Field("viewer", examples=["viewer"])
    """The role of people who are not named."""


class ScheduleEntry(Entry):
    retrain: list[Reference] = Field(min_length=1, examples=["[churn]"])
    """Models to train again."""
    at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = Field(
        None, examples=['"03:00"']
    )
    """When, in UTC."""
    days: list[Weekday] = Field([], examples=["[monday, thursday]"])
    """On which days; every day when left out."""


class DigestEntry(Entry):
    when: str = Field(min_length=1, max_length=120, examples=["weekdays 09:00 Europe/Berlin"])
    """Days, a time and, if it is not that of `time_zone`, a zone; as one types it behind /digest subscribe."""
    quiet: Literal["say", "silent"] = Field("say", examples=["say"])
    """What happens on a day without news: say so in one line, or stay silent."""


class CatalogueFile(Entry):
    models: dict[Name, ModelEntry] = Field(examples=["{churn: …}"])
    """The models that the bot looks after."""
    people: dict[Name, PersonEntry] = Field({}, examples=["{ana: {name: Ana Lima, slack: ana@example.org}}"])
    """People by short names, so that the rest of the file can name them."""
    teams: dict[Name, TeamEntry] = Field({}, examples=["{growth: {name: Growth, channel: ml}}"])
    """Teams that own models."""
    channels: dict[ChannelName, str] = Field({}, examples=["{ml: Retrains and approvals}"])
    """Channels that the bot posts to, and what each is for. The bot must be invited to them."""
    roles: RolesEntry = Field(RolesEntry(), examples=["{approver: [ana]}"])
    """Who may do what."""
    schedules: dict[Name, ScheduleEntry] = Field({}, examples=["{nightly: {retrain: [churn]}}"])
    """What the clock orders."""
    gates: dict[Name, GateEntry] = Field({}, examples=["{ranking: {metric: roc_auc}}"])
    """Gates that several models share."""
    knowledge: KnowledgeEntry = Field(KnowledgeEntry(), examples=["{folders: {runbooks: {path: docs}}}"])
    """Documents that answers may draw on, watched for changes."""
    digests: dict[ChannelName, DigestEntry] = Field({}, examples=["{ml: {when: weekdays 09:00}}"])
    """Channels that get a digest of what happened."""
    time_zone: str = Field("UTC", max_length=60, examples=["Europe/Berlin"])
    """The zone of digests that name none; schedules are in UTC."""
    ci: CiEntry = Field(CiEntry(), examples=['{repositories: {"shipyard/*": {}}}'])
    """Which failures of the CI are told, where, and to whom."""
    alerts: AlertsEntry = Field(AlertsEntry(), examples=["{names: {ChurnScoreTooLow: performance}}"])
    """Which alerts of Alertmanager have a model looked at."""
