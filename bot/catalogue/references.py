"""Mistakes that only show when one part of the catalogue is held against another."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.catalogue.ci import CI_CHANNEL
from bot.catalogue.entries import CatalogueFile, DriftEntry, GateEntry, ModelEntry
from bot.catalogue.knowledge import repository_mistake
from bot.catalogue.mistakes import Mistake, Where, nearest, path_text
from bot.catalogue.reading import Document
from bot.catalogue.spans import span_of
from pipelines.digest.wording import known_zone, parse_rhythm
from pipelines.errors import Refused
from pipelines.retrain.gate import METRICS
from pipelines.retrain.values import LOWER_IS_BETTER, Problem

SUGGESTED: dict[Problem, str] = {"regression": "rmse", "classification": "roc_auc"}
PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
DATA_DIR = "data_dir"
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=30)
MOST_OFTEN = timedelta(minutes=5)


class References:
    """Collects the mistakes of one file. `file` may lack entries that were wrong in shape; `document` has them all."""

    def __init__(self, file: CatalogueFile, document: Document) -> None:
        self._file = file
        self._document = document
        self._found: list[Mistake] = []
        self._people = self._names("people")
        self._teams = self._names("teams")
        self._gates = self._names("gates")
        self._channels = {channel_key(name) for name in self._names("channels")}

    def mistakes(self) -> list[Mistake]:
        if not self._names("models"):
            self._say(("models",), "is empty. Write e.g. churn: …")
        for name, model in self._file.models.items():
            self._check_model(("models", name), model)
        for name, gate in self._file.gates.items():
            self._check_gate(("gates", name), gate, None)
        self._check_people()
        self._check_teams()
        self._check_roles()
        self._check_knowledge()
        for name, schedule in self._file.schedules.items():
            self._check_names(("schedules", name, "retrain"), schedule.retrain, self._names("models"), "model")
        self._check_digests()
        self._check_ci()
        for label, meant in self._file.alerts.models.items():
            self._check_name(("alerts", "models", label), meant, self._names("models"), "model")
        return self._found

    def _check_ci(self) -> None:
        ci = self._file.ci
        if ci.channel:
            self._check_channel(("ci", "channel"), ci.channel)
        for pattern, wish in ci.repositories.items():
            where: Where = ("ci", "repositories", pattern)
            if wish.channel:
                self._check_channel((*where, "channel"), wish.channel)
            for name in ("branches", "authors", "not_authors", "workflows"):
                self._check_twice((*where, name), getattr(wish, name))
            for author in set(wish.authors) & set(wish.not_authors):
                self._say((*where, "not_authors"), f'names "{author}", like authors. Keep one of the two.')
        nowhere = not ci.channel and CI_CHANNEL not in self._channels
        for name, team in ci.teams.items():
            where = ("ci", "teams", name)
            self._check_twice((*where, "kinds"), team.kinds)
            if team.channel:
                self._check_channel((*where, "channel"), team.channel)
            elif nowhere:
                self._say(where, 'has no channel, and neither has ci. Write e.g. channel: "#ci"')
            if team.mention and not is_slack_name(team.mention):
                self._check_name((*where, "mention"), team.mention, self._people, "person")

    def _check_digests(self) -> None:
        zone = self._file.time_zone
        if known_zone(zone) is None:
            self._say(("time_zone",), f'is "{zone}", which is no time zone. Write e.g. time_zone: Europe/Berlin')
        seen: set[str] = set()
        for name, digest in self._file.digests.items():
            self._check_channel(("digests", name), name)
            if channel_key(name) in seen:
                self._say(("digests", name), "is there twice, with and without #. Keep one of the two.")
            seen.add(channel_key(name))
            try:
                parse_rhythm(digest.when, "UTC")
            except Refused as unclear:
                self._say(("digests", name, "when"), f"is unclear. {unclear}")

    def _names(self, section: str) -> list[str]:
        entries = self._document.plain.get(section)
        return list(entries) if isinstance(entries, dict) else []

    def _say(self, where: Where, text: str) -> None:
        self._found.append(Mistake(self._document.line(where), f"{path_text(where)} {text}"))

    def _check_model(self, where: Where, model: ModelEntry) -> None:
        self._check_name((*where, "owner"), model.owner, [*self._people, *self._teams], "person or team")
        self._check_channel((*where, "channel"), model.channel)
        if isinstance(model.gate, str):
            self._check_name((*where, "gate"), model.gate, self._gates, "gate")
            self._check_shared_gate(where, model)
        else:
            self._check_gate((*where, "gate"), model.gate, model.problem)
        self._check_data(where, model)
        self._check_columns(where, model)
        self._check_trainer(where, model)
        self._check_drift((*where, "drift"), model.drift)

    def _check_drift(self, where: Where, drift: DriftEntry) -> None:
        if drift.channel is not None:
            self._check_channel((*where, "channel"), drift.channel)
        if not SHORTEST <= span_of(drift.window) <= LONGEST:
            self._say((*where, "window"), f'is "{drift.window}", but a window is 1h to 30d. Write e.g. window: 24h')
        if drift.every != "never" and not MOST_OFTEN <= span_of(drift.every) <= LONGEST:
            self._say((*where, "every"), f'is "{drift.every}", but looks are 5m to 30d apart. Write e.g. every: 1h')
        if drift.auto is not None:
            self._check_name((*where, "auto"), drift.auto, self._people, "person")
            roles = self._file.roles
            if drift.auto in self._people and drift.auto not in roles.approver + roles.admin:
                self._say(
                    (*where, "auto"),
                    f'names "{drift.auto}", who may not approve. Name an approver, or leave it out.',
                )

    def _check_shared_gate(self, where: Where, model: ModelEntry) -> None:
        gate = self._file.gates.get(str(model.gate))
        if gate and gate.metric not in METRICS[model.problem]:
            self._say((*where, "gate"), f'is "{model.gate}", which judges {gate.metric}: {_fitting(model.problem)}')

    def _check_gate(self, where: Where, gate: GateEntry, problem: Problem | None) -> None:
        known = METRICS[problem] if problem else [metric for metrics in METRICS.values() for metric in metrics]
        for place, metric in [((*where, "metric"), gate.metric)] + [
            ((*where, "thresholds", name), name) for name in gate.thresholds
        ]:
            if metric not in known:
                rest = _fitting(problem) if problem else f"Known metrics: {', '.join(known)}."
                self._say(place, f'names the metric "{metric}":{nearest(metric, known)} {rest}')
        for metric, limit in gate.thresholds.items():
            if reason := _limit_fault(metric, limit):
                self._say((*where, "thresholds", metric), reason)

    def _check_data(self, where: Where, model: ModelEntry) -> None:
        self._check_uri((*where, "data"), model.data)
        for index, root in enumerate(model.data_roots):
            self._check_uri((*where, "data_roots", index), root)
        for kind, uris in (("files", model.records.files), ("labels", model.records.labels)):
            for index, uri in enumerate(uris):
                self._check_uri((*where, "records", kind, index), uri)

    def _check_uri(self, where: Where, uri: str) -> None:
        for name in PLACEHOLDER.findall(uri):
            if name != DATA_DIR:
                self._say(where, f"uses ${{{name}}}, which is not known. Write e.g. ${{{DATA_DIR}}}/churn.csv")
        if any(ord(letter) < 32 for letter in uri):
            self._say(where, "holds a control character. Write the path in one line.")
        if "://" in uri and _has_password(uri):
            self._say(where, "carries a password, which would show in every plan. Put it into the environment.")

    def _check_columns(self, where: Where, model: ModelEntry) -> None:
        if model.target in model.drop_columns:
            self._say((*where, "drop_columns"), f'drops "{model.target}", the target. Take it out of the list.')
        self._check_twice((*where, "drop_columns"), model.drop_columns)
        if model.time_column == model.target:
            self._say((*where, "time_column"), f'is "{model.target}", the target. Name another column.')
        if model.positive_label is not None and model.problem == "regression":
            self._say((*where, "positive_label"), "has no meaning for a regression. Leave it out.")

    def _check_trainer(self, where: Where, model: ModelEntry) -> None:
        image = model.trainer.startswith("image:")
        if image and model.runner == "local":
            self._say((*where, "runner"), "is local, where an image cannot run. Write e.g. runner: kubernetes")
        if image and not model.command:
            self._say((*where, "trainer"), 'is an image without a command. Write e.g. command: ["python", "train.py"]')
        if model.command and not image:
            self._say((*where, "command"), "is only for images. Leave it out, or write e.g. trainer: image:NAME")

    def _check_knowledge(self) -> None:
        knowledge = self._file.knowledge
        for name, folder in knowledge.folders.items():
            self._check_uri(("knowledge", "folders", name, "path"), folder.path)
            if "://" in folder.path:
                self._say(
                    ("knowledge", "folders", name, "path"), "is an address. Write a folder, or see knowledge.git."
                )
            self._check_readers(("knowledge", "folders", name, "channels"), folder.channels)
        for name, entry in knowledge.git.items():
            where: Where = ("knowledge", "git", name)
            if text := repository_mistake(entry.repository):
                self._say((*where, "repository"), text)
            self._check_readers((*where, "channels"), entry.channels)
            if name in knowledge.folders:
                self._say(where, "has the name of a folder under knowledge.folders. Choose another one.")

    def _check_readers(self, where: Where, channels: Sequence[str]) -> None:
        self._check_twice(where, channels)
        for index, channel in enumerate(channels):
            self._check_channel((*where, index), channel)

    def _check_people(self) -> None:
        counts = Counter(person.slack.lower() for person in self._file.people.values())
        for name, person in self._file.people.items():
            if counts[person.slack.lower()] > 1:
                self._say(("people", name, "slack"), f"is {person.slack}, like somebody else's. Keep one of the two.")

    def _check_teams(self) -> None:
        for name, team in self._file.teams.items():
            self._check_channel(("teams", name, "channel"), team.channel)
            self._check_names(("teams", name, "members"), team.members, self._people, "person")

    def _check_roles(self) -> None:
        roles = self._file.roles
        for role in ("admin", "approver", "engineer"):
            grants: list[str] = getattr(roles, role)
            where: Where = ("roles", role)
            self._check_twice(where, grants)
            for index, grant in enumerate(grants):
                if not is_slack_name(grant):
                    self._check_name((*where, index), grant, self._people, "person")
        self._check_approvers(roles.admin + roles.approver)

    def _check_approvers(self, approvers: Sequence[str]) -> None:
        if self._misshapen("roles") or any(grant.startswith(("@", "S")) for grant in approvers):
            return  # how many people a user group holds is known to Slack alone
        if not approvers:
            self._say(("roles",), "names no approver, so nothing could ever be approved. Write e.g. approver: [ana]")
            return
        for name, model in self._file.models.items():
            if model.approval.needed > len(set(approvers)):
                self._say(
                    ("models", name, "approval", "needed"),
                    f"is {model.approval.needed}, but {len(set(approvers))} may approve. Name more: roles.approver",
                )

    def _misshapen(self, section: str) -> bool:
        """Whether parts of this section were set aside because they are wrong in shape."""
        written = self._document.plain.get(section)
        return written is not None and set(written) != self._file.roles.model_fields_set

    def _check_channel(self, where: Where, channel: str) -> None:
        if channel_key(channel) not in self._channels:
            hint = nearest(channel_key(channel), self._channels)
            self._say(where, f'names "{channel}", which is not under channels.{hint}{_known(self._channels)}')

    def _check_name(self, where: Where, name: str, known: Sequence[str], kind: str) -> None:
        if name not in known:
            self._say(where, f'names "{name[:80]}", but there is no such {kind}.{nearest(name, known)}{_known(known)}')

    def _check_names(self, where: Where, names: Sequence[str], known: Sequence[str], kind: str) -> None:
        self._check_twice(where, names)
        for index, name in enumerate(names):
            self._check_name((*where, index), name, known, kind)

    def _check_twice(self, where: Where, names: Sequence[str]) -> None:
        for name, times in Counter(names).items():
            if times > 1:
                self._say((*where, len(names) - 1 - names[::-1].index(name)), f'names "{name}" twice. Keep one.')


def is_slack_name(grant: str) -> bool:
    """A user id, an e-mail address, or a user group; anything else is the short name of a person."""
    return "@" in grant or re.fullmatch(r"[UWS][A-Z0-9]{2,}", grant) is not None


def channel_key(channel: str) -> str:
    return channel.removeprefix("#")


def _fitting(problem: Problem) -> str:
    others = ", ".join(metric for metric in METRICS[problem] if metric != SUGGESTED[problem])
    return f"it does not fit a {problem}. Write e.g. metric: {SUGGESTED[problem]} (or {others})"


def _limit_fault(metric: str, limit: float) -> str:
    if metric in LOWER_IS_BETTER:
        return f"is {limit:g}, but an error is never negative. Write e.g. {metric}: 0.5" if limit < 0 else ""
    if metric == "r2":
        return f"is {limit:g}, but r2 is at most 1. Write e.g. r2: 0.4" if limit > 1 else ""
    if 0 <= limit <= 1 or metric not in METRICS["classification"]:
        return ""
    share = limit / 100 if 1 < limit <= 100 else 0.75
    return f"is {limit:g}, but {metric} lies between 0 and 1. Write e.g. {metric}: {share:g}"


def _has_password(uri: str) -> bool:
    try:
        return urlsplit(uri).password is not None
    except ValueError:
        return False


def _known(names: Iterable[str]) -> str:
    listed: list[Any] = sorted(names)
    return f" Known: {', '.join(listed[:12])}." if listed else " None is written yet."
