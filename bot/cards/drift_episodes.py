"""The one message of a drift episode, the lines of its thread, and its forms."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.cards.blocks import (
    Block,
    Card,
    actions,
    button,
    code,
    context,
    cut,
    escape,
    fields,
    moment,
    plain,
    section,
    tame,
)
from bot.cards.drawing import draw, draw_form
from bot.cards.drift import URGENCY_MARKS, line, lines, span, tested
from pipelines.drift.acting import EditForm, Noted, RejectForm, SnoozeForm
from pipelines.drift.episodes import Episode, Happened, IssueLink, untried
from pipelines.drift.plans import NewRows, Proposal, RetrainPlan
from pipelines.drift.showing import EpisodeCard, EpisodeNote
from pipelines.drift.workflow import Details, NoDetails

LONGEST_GATE = 600
GONE = ":white_check_mark:"
NOTE_MARKS = {
    "raised": ":rotating_light:", "blind": ":hourglass:", "snoozed": ":zzz:", "gone": GONE, "retrained": ":package:",
    "still there": ":rotating_light:", "settled": ":memo:",
}  # fmt: skip


@draw.register
def _card(value: EpisodeCard) -> Card:
    episode = value.episode
    report = episode.found.report
    head = _headline(episode)
    blocks: list[Block] = [section(f"{head}\n{line(report.hypothesis)}"), context(_counted(episode))]
    if episode.open:
        blocks += [
            *lines("Why", report.why), *lines("Affected", report.affected), *lines("Worst where", report.segments),
            section(f"*Recommended*\n{line(report.recommendation)}"),
            *_proposal(value), *_buttons(value),
        ]  # fmt: skip
    told = [*_standing(value), *((line(" ".join(report.would_change)),) if episode.open else ())]
    return Card(plain(head), (*blocks, *([context(*told)] if any(told) else [])))


def _headline(episode: Episode) -> str:
    model, title = escape(episode.model), line(episode.found.report.title)
    if not episode.open:
        return f"{GONE} *Drift of {model} is gone*  It was: {title}"
    mark = URGENCY_MARKS[episode.urgency]
    if episode.proposal is not None and episode.proposal.awaiting:
        return f"{mark} *Retrain {model}?*  {title}"
    return f"{mark} *{model}: {title}*"


def _counted(episode: Episode) -> str:
    times = f"seen {episode.seen} times" if episode.seen > 1 else "seen once"
    judged = f"version {escape(episode.found.version)}, windows of {_of_span(episode.found.window)}"
    if not episode.open:
        return f"{_gone(episode)} · {judged}"
    onset = episode.found.onset
    since = f"Since about {moment(onset.at)}, noticed {moment(episode.opened_at)}" if onset is not None else ""
    parts = [since or f"Noticed {moment(episode.opened_at)}", times, judged, f"last look {moment(episode.looked_at)}"]
    if episode.quiet:
        parts.append(f"not seen in the last {'look' if episode.quiet == 1 else f'{episode.quiet} looks'}")
    return " · ".join(parts)


def _gone(episode: Episode) -> str:
    since = moment(episode.quiet_since or episode.looked_at)
    times = f"{episode.seen} times" if episode.seen > 1 else "once"
    lasted = _lasted((episode.quiet_since or episode.looked_at) - episode.opened_at)
    again = f" after retraining (version {escape(episode.retrained)})" if episode.retrained else ""
    return f"Gone since {since}{again}; seen {times} in {lasted}"


def _lasted(span_: timedelta) -> str:
    hours = max(1, round(span_.total_seconds() / 3600))
    if hours >= 48:
        return f"{round(hours / 24)} days"
    return f"{hours} hours" if hours > 1 else "an hour"


def _of_span(window: timedelta) -> str:
    told = span(window)
    return "an hour" if told == "hour" else told


def _proposal(value: EpisodeCard) -> list[Block]:
    proposal, broken = value.episode.proposal, value.episode.found.broken
    if broken:
        return [section(":no_entry_sign: *No retrain is proposed*: a model would learn the fault. Fix it first.")]
    if proposal is None:
        few = value.episode.too_new
        return [_too_new(few)] if few is not None else []
    if proposal.refusal:
        return [section(f":no_entry_sign: *No retrain could be planned.* {line(proposal.refusal)}")]
    if proposal.plan is None:
        return [context(":mag: The plan of a retrain is being drawn up."), *_helps(value, proposal)]
    decided = _decided(proposal)
    return [
        *_plan(proposal.plan),
        *_drowned(value, proposal),
        *_helps(value, proposal),
        *([context(*decided)] if decided else []),
    ]


def _too_new(few: NewRows) -> Block:
    """Why there is no plan yet, and when there will be one."""
    rows = f"{few.labelled:,} labelled row{'' if few.labelled == 1 else 's'} since about {moment(few.since)}"
    when = f"At today's rate they are there about {moment(few.expected)}." if few.expected else "No labels come in now."
    return section(
        f":hourglass: *The retrain waits for rows to learn it from.* {rows} {'is' if few.labelled == 1 else 'are'} of "
        f"the new kind; {few.needed:,} are needed for its gate to tell a better model from chance. {when} The plan "
        "appears here then. Planned now, it would learn mostly from rows of before."
    )


def _drowned(value: EpisodeCard, proposal: Proposal) -> list[Block]:
    """That the table is nearly all of before, while that can be changed."""
    new, rows = value.episode.found.new_rows, proposal.plan.row_count if proposal.plan is not None else None
    if not proposal.awaiting or proposal.since or new is None or rows is None or not new.drowned_in(rows):
        return []
    hint = "*Edit…* takes only the rows since a day" if value.watch.time_column else (
        "`time_column` in the catalogue lets it take only the rows since a day"
    )  # fmt: skip
    told = f"Of its {rows:,} rows at most {new.labelled:,} are known to be of the new kind"
    return [context(f":warning: {told}: it would learn, and be judged by, what was before. {hint}.")]


def _helps(value: EpisodeCard, proposal: Proposal) -> list[Block]:
    if proposal.test is not None:
        return [tested(proposal.test)]
    return [context(":mag: It is being tried whether retraining will help.")] if untried(value.episode) else []


def _plan(plan: RetrainPlan) -> list[Block]:
    shown = plan.data if len(plan.data) <= 60 else "…" + plan.data[-58:]
    gate = cut("\n".join(line(rule) for rule in plan.gate), LONGEST_GATE)
    pairs = [
        ("Data", f"{code(shown)}\n{escape(plan.rows)}"), ("Target", line(plan.target)),
        ("Champion now", escape(plan.champion)), ("Gate", gate),
        ("Runs", escape(plan.runner)), ("Takes and costs", escape(plan.cost)),
    ]  # fmt: skip
    note = [context(f":memo: {line(plan.note)}")] if plan.note else []
    return [section("*The retrain that would be done*"), fields(pairs), *note]


def _decided(proposal: Proposal) -> list[str]:
    """What became of the plan, in place of its buttons."""
    state = proposal.state
    if state is None:
        return []
    if proposal.awaiting:
        missing = state.needed - len(state.votes)
        names = ", ".join(escape(name) for name in state.votes)
        return [f"Approved by {names}; {missing} more needed."] if state.votes else []
    at = f", {moment(state.at, '{time}')}" if state.at else ""
    by = f" by {escape(state.by)}" if state.by else ""
    if state.stage in ("rejected", "withdrawn", "expired"):
        why = f": {line(state.sentence)}" if state.sentence else ""
        return [f"{state.stage.capitalize()}{by}{at}{why}"]
    how = f"version {escape(state.promoted)} is the new champion" if state.promoted else escape(state.stage)
    why = f". {line(state.sentence)}" if state.finished and not state.promoted and state.sentence else ""
    return [f"Approved{by}{at}", f"Retrain: {how}{why}"]


def _buttons(value: EpisodeCard) -> list[Block]:
    episode, proposal = value.episode, value.episode.proposal
    key = f"{episode.id} {episode.proposals}"
    elements: list[Block] = []
    if proposal is not None and proposal.plan is not None and proposal.awaiting and not episode.found.broken:
        elements += [
            button("Approve retrain", "drift.approve", f"{key} {proposal.plan.digest}", "primary"),
            button("Edit…", "drift.edit", key),
            button("Reject", "drift.reject", key, "danger"),
        ]
    elif not episode.found.broken and (proposal is None or proposal.over):
        label = "Plan it now" if episode.too_new is not None else "Plan a retrain"
        elements.append(button(label, "drift.plan", key))
    elements.append(button("Investigate", "drift.investigate", key))
    if not value.snoozed:
        elements.append(button("Snooze", "drift.snooze", key))
    return [actions(*elements)]


def _standing(value: EpisodeCard) -> list[str]:
    episode = value.episode
    told = []
    if episode.open and episode.snooze is not None and value.snoozed:
        told.append(f":zzz: Snoozed by {escape(episode.snooze.by)} until {moment(episode.snooze.until)}")
    if episode.open and episode.blind:
        told.append(f":hourglass: Could not look: {line(episode.blind)} It is tried again.")
    if episode.open and episode.awaits:
        told.append(f":hourglass: The first records of version {escape(episode.retrained)} are awaited.")
    if value.without_issue:
        told.append(f"No GitHub issue: {tame(cut(value.without_issue, LONGEST_GATE))}.")
    elif episode.issue is not None:
        told.append(_issue(episode.issue))
    if episode.worst != episode.urgency:
        told.append(f"At its worst it was {episode.worst}.")
    return told


def _issue(issue: IssueLink) -> str:
    if not issue.number:
        return f"No GitHub issue: {tame(cut(issue.note, LONGEST_GATE))}"
    return f"<{issue.url}|Issue {issue.number}> {tame(cut(issue.note, LONGEST_GATE))}".rstrip()


@draw.register
def _note(value: EpisodeNote) -> Card:
    text = _said(value.episode, value.line)
    mark = NOTE_MARKS.get(value.line.what, ":speech_balloon:")
    return Card(plain(text), (section(f"{mark} {text}"),))


def _said(episode: Episode, happened: Happened) -> str:
    if happened.what == "gone":
        return f"{_gone(episode)}."
    if happened.what == "snoozed" and episode.snooze is not None:
        return f"{line(happened.text.rstrip('.'))} until {moment(episode.snooze.until)}."
    return line(happened.text)


@draw.register
def _details(value: Details) -> Card:
    card = draw(value.drift)
    if not value.asked_by:
        return card
    return Card(card.text, (*card.blocks, context(f"Asked for by {escape(value.asked_by)}")))


@draw.register
def _no_details(value: NoDetails) -> Card:
    text = f"Could not look: {line(value.reason)}"
    return Card(plain(text), (section(f":hourglass: {text}"), context(f"Asked for by {escape(value.asked_by)}")))


@draw.register
def _noted(value: Noted) -> Card:
    return Card(value.text, (section(f":mag: {escape(value.text)}"),))


@draw_form.register
def _edit_form(value: EditForm) -> Mapping[str, Any]:
    hint = "A file beside the model's own data, or in one of its other places. Empty is the model's own."
    return _form(
        "drift.edit", "Change the plan", "Draw it anew", value.key,
        [_input("data", "Data file", value.data, hint, optional=True),
         *([_since(value)] if value.time_column else []),
         _input("note", "Note", value.note, "It stands in the plan.", optional=True)],
    )  # fmt: skip


def _since(value: EditForm) -> Block:
    element: Block = {"type": "datepicker", "action_id": "day"}
    if value.since:
        element["initial_date"] = value.since
    hint = f"By the column {value.time_column}. Without a day it is all rows."
    return {
        "type": "input", "block_id": "since", "label": _text("Only rows since"), "hint": _text(hint), "optional": True,
        "element": element,
    }  # fmt: skip


@draw_form.register
def _reject_form(value: RejectForm) -> Mapping[str, Any]:
    asked = _input("reason", "Why not?", "", "It stands in the thread and in the audit trail.", optional=False)
    return _form("drift.reject", "Reject the retrain", "Reject", value.key, [asked])


@draw_form.register
def _snooze_form(value: SnoozeForm) -> Mapping[str, Any]:
    options = [{"text": _text(choice), "value": choice} for choice in value.choices]
    element = {"type": "radio_buttons", "action_id": "pick", "options": options, "initial_option": options[0]}
    hint = "Silent until then, unless it becomes more urgent."
    asked = {
        "type": "input",
        "block_id": "span",
        "label": _text("For how long"),
        "hint": _text(hint),
        "element": element,
    }
    return _form("drift.snooze", "Snooze", "Snooze", value.key, [asked])


def _form(name: str, title: str, submit: str, private: str, blocks: list[Block]) -> Mapping[str, Any]:
    return {
        "type": "modal", "callback_id": name, "title": _text(cut(title, 24)), "submit": _text(submit),
        "close": _text("Cancel"), "private_metadata": private, "blocks": blocks,
    }  # fmt: skip


def _input(name: str, label: str, initial: str, hint: str, *, optional: bool) -> Block:
    element = {"type": "plain_text_input", "action_id": "text", "max_length": 1_000}
    if initial:
        element["initial_value"] = initial
    return {
        "type": "input", "block_id": name, "label": _text(label), "hint": _text(hint), "optional": optional,
        "element": element,
    }  # fmt: skip


def _text(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": True}
