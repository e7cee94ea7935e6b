"""Where drift is asked about: the reference from the registry, the hours from the store, the judgement from here."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from pipelines.drift.ports import Profiles, References
from pipelines.drift.report import ModelDrift, report
from pipelines.drift.values import FIX_FIRST
from pipelines.drift.watch import LONGEST_PAST, Watch, judge_windows
from pipelines.errors import Refused
from pipelines.names import find_model
from pipelines.ports import Clock

__all__ = ["DriftDesk", "ModelDrift", "parse_window"]

DEFAULT_WINDOW = timedelta(hours=24)
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=30)
_SPAN = re.compile(r"(\d{1,4})\s*([hd])")


class DriftDesk:
    """`models` are those of the catalogue, by name. Importances come with the reference of the champion.

    `drifting` answers the spans in which a model is known to have drifted, from and to.
    """

    def __init__(
        self,
        profiles: Profiles,
        references: References,
        clock: Clock,
        models: Mapping[str, object],
        drifting: Callable[[str], Sequence[tuple[datetime, datetime]]] = lambda _model: (),
    ) -> None:
        self._profiles = profiles
        self._references = references
        self._clock = clock
        self._models = models
        self._drifting = drifting

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
            raise Refused(
                f"No inference records of {model} version {reference.version} have come in yet, so there is nothing to "
                "judge. Have serving send them to `POST /inference` and labels to `POST /labels`; the README shows "
                f"how. `/models {model}` shows how good its versions were at their training."
            )
        verdict = judge_windows(
            reference.profile, hours, until, Watch(window), reference.importance,
            drifting=self._drifting(model),
        )  # fmt: skip
        return ModelDrift(model, reference.version, window, report(verdict), verdict, until)

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
