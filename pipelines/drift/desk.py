"""Where drift is asked about: the reference from the registry, the hours from the store, the judgement from here."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipelines.drift.onset import earliest, new_rows, onset_by_errors, onset_by_hours
from pipelines.drift.ports import Profiles, References
from pipelines.drift.report import ModelDrift, report
from pipelines.drift.sampling import LabelledRow
from pipelines.drift.served import ServedNames
from pipelines.drift.values import FIX_FIRST, Onset
from pipelines.drift.watch import LONGEST_PAST, Watch, judge_windows
from pipelines.drift.windows import WindowProfile
from pipelines.errors import Refused
from pipelines.names import find_model
from pipelines.ports import Clock
from pipelines.profiles import Reference

__all__ = ["DriftDesk", "ModelDrift", "NoRecords", "parse_window"]

DEFAULT_WINDOW = timedelta(hours=24)
MOST_NOTES = 5
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=30)
_SPAN = re.compile(r"(\d{1,4})\s*([hd])")


class NoRecords(Refused):
    """Nothing of this version, the champion, has come in yet."""

    def __init__(self, model: str, version: str) -> None:
        super().__init__(
            f"No inference records of {model} version {version} have come in yet, so there is nothing to "
            "judge. Have serving send them to `POST /inference` and labels to `POST /labels`; the README shows "
            f"how. `/models {model}` shows how good its versions were at their training."
        )
        self.version = version


class DriftDesk:
    """`models` are those of the catalogue, by name. Importances come with the reference of the champion.

    `drifting` answers the spans in which a model is known to have drifted, from and to; `labelled` the rows of a model
    and version whose labels are known, oldest first, as far as any are kept.
    """

    def __init__(
        self,
        profiles: Profiles,
        references: References,
        clock: Clock,
        models: Mapping[str, object],
        drifting: Callable[[str], Sequence[tuple[datetime, datetime]]] = lambda _model: (),
        names: ServedNames | None = None,
        labelled: Callable[[str, str], Sequence[LabelledRow]] = lambda _model, _version: (),
    ) -> None:
        self._profiles = profiles
        self._references = references
        self._clock = clock
        self._models = models
        self._drifting = drifting
        self._names = names
        self._labelled = labelled

    def look(self, model: str, window: timedelta = DEFAULT_WINDOW) -> ModelDrift:
        """Judge the last `window` of the model's champion. Raises Refused where there is nothing to judge by."""
        find_model(self._models, model)
        model = model.lower()
        reference = self._references.reference(model)
        if reference is None:
            raise Refused(f"{model} has no champion with a reference profile. `/retrain {model}` makes one.")
        until = self._clock.now()
        hours = self._profiles.windows(model, until - LONGEST_PAST - window, until, reference.version)
        if not hours:
            raise NoRecords(model, reference.version)
        spans = self._drifting(model)
        verdict = judge_windows(
            reference.profile, hours, until, Watch(window), reference.importance,
            drifting=spans,
        )  # fmt: skip
        told = report(verdict)
        told = replace(told, notes=(*told.notes, *self._notes(model, reference.version, until - window)))
        found = ModelDrift(model, reference.version, window, told, verdict, until)
        if not verdict.alarming:
            return found
        onset = self._onset(found, reference, hours, earliest(until, spans))
        return replace(found, onset=onset, new_rows=new_rows(onset, hours, until) if onset is not None else None)

    def _onset(
        self, drift: ModelDrift, reference: Reference, hours: Sequence[WindowProfile], since: datetime
    ) -> Onset | None:
        """By single errors where it is the errors that tell, else by the hours."""
        found, measured = None, drift.verdict.performance
        if measured is not None and measured.worse:
            found = onset_by_errors(self._labelled(drift.model, drift.version), reference.profile, since)
        return found or onset_by_hours(reference.profile, hours, drift.verdict, drift.window, since)

    def _notes(self, model: str, version: str, since: datetime) -> list[str]:
        """What serving called this version, where that had to be guessed or looked up."""
        served = self._names.since(model, since) if self._names is not None else ()
        return [name.note for name in served if name.version == version and name.note][:MOST_NOTES]

    def refuse_broken_rows(self, model: str, window: timedelta) -> None:
        """Raises Refused where the rows of the last window are broken: a model trained now would learn the fault."""
        report = self.look(model, window).report
        if report.remedy in FIX_FIRST:
            raise Refused(f"The rows of {model} broke meanwhile, so nothing was trained. {report.recommendation}")


def parse_window(text: str) -> timedelta:
    """The span that "6h" or "7d" names. Raises Refused for anything else."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found:
        hours = int(found[1]) * (24 if found[2] == "d" else 1)
        window = timedelta(hours=hours)
        if SHORTEST <= window <= LONGEST:
            return window
    raise Refused("A window is hours or days: `window=6h`, `window=7d`, at most `30d`.")
