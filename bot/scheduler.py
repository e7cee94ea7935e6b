"""APScheduler as a trigger only: each job starts durable work under an id that is the same on every replica."""

from collections.abc import Callable, Sequence
from datetime import UTC, time, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.catalogue import Schedule
from pipelines.errors import Refused, Unavailable
from pipelines.retrain.desk import RetrainDesk

log = structlog.get_logger("bot.scheduler")

SWEEP_EVERY = timedelta(seconds=15)
FORGET_EVERY = timedelta(hours=6)
# How late a digest may be: its own clock, not this one, says what is due.
DIGESTS_EVERY = timedelta(seconds=5)
# How late a look at drift may be.
LOOKS_EVERY = timedelta(seconds=5)
# A process that was busy or asleep at the time still starts what it missed in the last hour, once.
GRACE = timedelta(hours=1)


class Scheduler:
    """`nightly` is the time of day, UTC, of schedules that name none."""

    def __init__(self, desk: RetrainDesk, schedules: Sequence[Schedule], nightly: time) -> None:
        self._desk = desk
        self._clock = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE.seconds}
        )
        for schedule in schedules:
            for model in schedule.models:
                self._clock.add_job(
                    self._order, _trigger(schedule, nightly), args=[model], id=f"{schedule.name}:{model}"
                )
        self.every(SWEEP_EVERY, desk.workflow.sweep, "retrain sweep")

    def every(self, interval: timedelta, work: Callable[[], object], name: str) -> None:
        """Call `work` again and again; an outage is logged and the next turn tries anew."""
        trigger = IntervalTrigger(seconds=int(interval.total_seconds()))
        self._clock.add_job(self._attempt, trigger, args=[work, name], id=name)

    def start(self) -> None:
        self._clock.start()

    def stop(self) -> None:
        if self._clock.running:
            self._clock.shutdown(wait=False)

    def _order(self, model: str) -> None:
        self._attempt(lambda: self._desk.order_nightly(model), f"nightly {model}")

    def _attempt(self, work: Callable[[], object], name: str) -> None:
        try:
            work()
        except (Unavailable, Refused) as problem:
            log.warning("scheduled work put off", work=name, reason=str(problem))


def _trigger(schedule: Schedule, nightly: time) -> CronTrigger:
    at = schedule.at or nightly
    days = ",".join(str(day) for day in schedule.weekdays) or "*"
    return CronTrigger(day_of_week=days, hour=at.hour, minute=at.minute, timezone=UTC)
