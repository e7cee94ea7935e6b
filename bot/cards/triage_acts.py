"""The buttons below a report, what became of it, and the question before a re-run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.cards.blocks import (
    Block,
    Card,
    actions,
    button,
    confirm,
    context,
    cut,
    escape,
    fields,
    moment,
    plain,
    section,
)
from bot.cards.drawing import draw, draw_form
from bot.cards.inert import inert_name, inert_words
from pipelines.approval import plan_digest
from pipelines.triage.acts import LONGEST_WORDS, DoubtForm, DoubtTaken, Rerun, RerunEnded, RerunPlan, read_doubt
from pipelines.triage.history import Mark, Reported

NAME, WORDS = 80, 160
MOST_JOBS, MOST_MARKS = 10, 2
OPTION = 75
OTHER = "0"


def act_buttons(told: Reported) -> Iterator[Block]:
    """What may still be done with a report."""
    if told.acknowledged is None and told.passed is None:
        yield button("Acknowledge", "triage.acknowledge", told.key)
    if told.rerun is None and told.passed is None and told.triaged.facts.number:
        sure = confirm(
            "Re-run the failed jobs?",
            f"The failed jobs of run #{told.triaged.facts.number}, attempt {told.triaged.facts.attempt}, are done once "
            "more. If you may approve, they begin at once; else somebody who may is asked.",
            "Re-run", "Back", style="primary",
        )  # fmt: skip
        yield button("Re-run failed jobs", "triage.rerun", told.key, confirm=sure)
    yield button("Wrong", "triage.wrong", told.key)


def acted(told: Reported) -> list[Block]:
    """Who did what, and what people said of reports like this one."""
    lines = [*_said_before(told), *_done(told)]
    return [context("\n".join(lines)) | {"block_id": "acted"}] if lines else []


def _done(told: Reported) -> Iterator[str]:
    if mark := told.acknowledged:
        yield f":eyes: Acknowledged by {_who(mark)}, {moment(mark.at, '{time}')}"
    if mark := told.rerun:
        begun = f" as attempt {mark.words}" if mark.words.isdecimal() else ""
        yield f":repeat: Failed jobs re-run{begun}, approved by {_who(mark)}, {moment(mark.at, '{time}')}"
    for mark in told.wrong[-MOST_MARKS:]:
        yield f":thinking_face: Doubted by {_who(mark)}, {moment(mark.at, '{time}')}: {_doubt(mark)}"


def _said_before(told: Reported) -> Iterator[str]:
    for mark in told.seen.doubts[:MOST_MARKS]:
        day = moment(mark.at, "{date_short}")
        yield f":speech_balloon: On {day} {_who(mark)} said of a report like this: {_doubt(mark)}"


def _doubt(mark: Mark) -> str:
    doubt = read_doubt(mark.words)
    wrong = f"cause {doubt.cause} is wrong" if doubt.cause else "it is something else"
    said = inert_words(doubt.said, WORDS)
    return f"{wrong}. “{said}”" if said else f"{wrong}."


def _who(mark: Mark) -> str:
    return f"<@{mark.by}>" if mark.by.isalnum() else inert_words(mark.by, NAME)


# The question before a re-run


@draw.register
def _rerun(value: Rerun) -> Card:
    what = f"Re-run {_many(value.plan)} of {inert_words(value.workflow, NAME)} #{value.plan.number}"
    lead = {
        "awaiting approval": f":raised_hand: *{what}?*  {escape(value.requester_name)} asks",
        "approved": f":hourglass_flowing_sand: *{what}*",
        "started": f":white_check_mark: *{what}: attempt {value.begun} has begun*",
        "rejected": f":x: *{what}* was rejected by {escape(value.settled_by)}",
        "withdrawn": f":leftwards_arrow_with_hook: *{what}* was withdrawn by {escape(value.settled_by)}",
        "expired": f":alarm_clock: *{what}* expired without an answer",
        "failed": f":warning: *{what}* was not done. {inert_words(value.reason, 400)}",
    }[value.stage]
    blocks = [section(lead), _plan(value.plan)]
    if value.stage == "awaiting approval":
        blocks.append(rerun_buttons(value))
        blocks.append(context(f"Exactly these jobs, once. Expires {moment(value.expires_at)}"))
    elif value.settled_by and value.settled_at and value.stage in ("approved", "started", "failed"):
        blocks.append(context(f"Approved by {escape(value.settled_by)}, {moment(value.settled_at, '{time}')}"))
    return Card(plain(lead), tuple(blocks))


def rerun_buttons(value: Rerun) -> Block:
    chosen = f"{value.id} {plan_digest(value.plan)[:16]}"
    sure = confirm("Reject this re-run?", "Nothing is done. It can be asked for again.", "Reject", "Back")
    return actions(
        button(f"Approve re-running {_many(value.plan)}", "triage.rerun_approve", chosen, "primary"),
        button("Reject", "triage.rerun_reject", chosen, "danger", sure),
    )


def rerun_jobs(plan: RerunPlan) -> str:
    """In one line."""
    return _jobs(plan.jobs).replace("\n", ", ")


def _plan(plan: RerunPlan) -> Block:
    return fields(
        [
            ("Repository", inert_name(plan.repository)),
            ("Run", f"#{plan.number}, attempt {plan.attempt}"),
            ("Jobs", _jobs(plan.jobs)),
        ]
    )


def _jobs(jobs: Sequence[str]) -> str:
    more = [f"and {len(jobs) - MOST_JOBS} more"] if len(jobs) > MOST_JOBS else []
    return "\n".join([*(inert_name(job) for job in jobs[:MOST_JOBS]), *more])


def _many(plan: RerunPlan) -> str:
    return f"{len(plan.jobs)} failed job{'' if len(plan.jobs) == 1 else 's'}"


@draw.register
def _ended(value: RerunEnded) -> Card:
    run = value.rerun
    asked = f"<@{run.requester_id}> " if run.requester_id.isalnum() and not run.direct else ""
    what = f"{_many(run.plan)} of run #{run.plan.number}"
    told = {
        "started": f":repeat: Re-running {what} as attempt {run.begun}, approved by {escape(run.settled_by)}: "
                   + rerun_jobs(run.plan),
        "rejected": f":x: The re-run of {what} was rejected by {escape(run.settled_by)}.",
        "expired": f":alarm_clock: The re-run of {what} expired without an answer.",
    }.get(run.stage, f":warning: {what} were not re-run. {inert_words(run.reason, 400)}")  # fmt: skip
    return Card(plain(told), (section(f"{asked}{told}"),))


# Wrong


@draw_form.register
def _doubt_form(value: DoubtForm) -> Mapping[str, Any]:
    options = [_option(f"{number}. {' '.join(text.split())}", str(number)) for number, text in
               enumerate(value.causes[:9], 1)]  # fmt: skip
    options.append(
        _option("Something else is the cause" if value.causes else "There is a cause, and it is missing", OTHER)
    )
    which = {"type": "radio_buttons", "action_id": "pick", "options": options, "initial_option": options[0]}
    words = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": LONGEST_WORDS}
    blocks = [
        {"type": "input", "block_id": "cause", "label": _label("Which cause is wrong?"), "element": which},
        {"type": "input", "block_id": "said", "label": _label("What was it really?"), "optional": True,
         "element": words, "hint": _label("Shown below this report and below later ones of the same failure.")},
    ]  # fmt: skip
    return {
        "type": "modal", "callback_id": "triage.wrong", "title": _label("This report is wrong"),
        "submit": _label("Send"), "close": _label("Cancel"), "private_metadata": value.key, "blocks": blocks,
    }  # fmt: skip


def _option(text: str, value: str) -> Block:
    return {"text": _label(cut(text, OPTION)), "value": value}


def _label(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": True}


@draw.register
def _thanks(_value: DoubtTaken) -> Card:
    text = "Thank you. Your words stand below the report, and below later ones of the same failure."
    return Card(text, (section(text),))
