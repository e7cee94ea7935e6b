"""The buttons and forms under a drift episode's message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pipelines.drift.acting import LONGEST_NOTE, SNOOZES, EditForm, EpisodeDesk, Noted, RejectForm, SnoozeForm
from pipelines.people import Permission
from pipelines.requests import Click, Form


@dataclass(frozen=True, slots=True)
class ApproveDriftRetrain:
    desk: EpisodeDesk
    action: ClassVar[str] = "drift.approve"
    permission: ClassVar[Permission] = Permission.LOOK  # who may approve is judged by the gate, which can say who
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> None:
        key, _, digest = click.value.rpartition(" ")
        self.desk.approve(key, digest, click.person)


@dataclass(frozen=True, slots=True)
class EditDriftRetrain:
    desk: EpisodeDesk
    action: ClassVar[str] = "drift.edit"
    permission: ClassVar[Permission] = Permission.APPROVE
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> EditForm:
        return self.desk.edit_form(click.value)


@dataclass(frozen=True, slots=True)
class RejectDriftRetrain:
    desk: EpisodeDesk
    action: ClassVar[str] = "drift.reject"
    permission: ClassVar[Permission] = Permission.APPROVE
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> RejectForm:
        return self.desk.reject_form(click.value)


@dataclass(frozen=True, slots=True)
class PlanDriftRetrain:
    """Has a retrain planned, below a message that asked for none or whose last plan ended."""

    desk: EpisodeDesk
    action: ClassVar[str] = "drift.plan"
    permission: ClassVar[Permission] = Permission.ORDER
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> None:
        self.desk.plan(click.value, click.person)


@dataclass(frozen=True, slots=True)
class SnoozeDrift:
    desk: EpisodeDesk
    action: ClassVar[str] = "drift.snooze"
    permission: ClassVar[Permission] = Permission.ORDER
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> SnoozeForm:
        return self.desk.snooze_form(click.value)


@dataclass(frozen=True, slots=True)
class InvestigateDrift:
    desk: EpisodeDesk
    action: ClassVar[str] = "drift.investigate"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = False

    def __call__(self, click: Click) -> Noted:
        return self.desk.investigate(click.value, click.person)


@dataclass(frozen=True, slots=True)
class EditedDriftRetrain:
    desk: EpisodeDesk
    name: ClassVar[str] = "drift.edit"
    permission: ClassVar[Permission] = Permission.APPROVE

    def mistakes(self, form: Form) -> Mapping[str, str]:
        if len(form.fields.get("note", "")) > LONGEST_NOTE:
            return {"note": f"At most {LONGEST_NOTE} characters."}
        if len(form.fields.get("data", "").split()) > 1:
            return {"data": "One file, without spaces."}
        return {}

    def __call__(self, form: Form) -> None:
        self.desk.edit(
            form.private, form.person, form.fields.get("data", "").strip(), form.fields.get("since", "").strip(),
            form.fields.get("note", "").strip(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RejectedDriftRetrain:
    desk: EpisodeDesk
    name: ClassVar[str] = "drift.reject"
    permission: ClassVar[Permission] = Permission.APPROVE

    def mistakes(self, form: Form) -> Mapping[str, str]:
        reason = form.fields.get("reason", "").strip()
        if not 3 <= len(reason) <= LONGEST_NOTE:
            return {"reason": f"Say why, in 3 to {LONGEST_NOTE} characters: it stands in the thread."}
        return {}

    def __call__(self, form: Form) -> None:
        self.desk.reject(form.private, form.person, " ".join(form.fields["reason"].split()))


@dataclass(frozen=True, slots=True)
class SnoozedDrift:
    desk: EpisodeDesk
    name: ClassVar[str] = "drift.snooze"
    permission: ClassVar[Permission] = Permission.ORDER

    def mistakes(self, form: Form) -> Mapping[str, str]:
        return {} if form.fields.get("span") in SNOOZES else {"span": "Choose one."}

    def __call__(self, form: Form) -> None:
        self.desk.snooze(form.private, form.person, form.fields["span"])
