"""Follows a model's alias in the registry: the version that carries it is the one that is served."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.clients.mlflow import MlflowRegistry
from bot.demo.serving.protocol import Said
from pipelines.errors import Refused, Unavailable
from pipelines.retrain.own_trainer import MISTAKES
from pipelines.retrain.promotion_plan import DIGEST_TAG

log = structlog.get_logger("bot.demo.serving")

EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Served:
    """A loaded version. `model` is a TableModel as it was pickled at training."""

    version: int
    model: Any

    @property
    def features(self) -> Sequence[str]:
        return list(self.kinds)

    @property
    def kinds(self) -> Mapping[str, str]:
        return {column.name: column.kind for column in self.model.columns}

    @property
    def labels(self) -> Sequence[Any]:
        return list(self.model.labels)

    def predict(self, columns: Mapping[str, Sequence[Any]]) -> Said:
        """Raises ValueError naming the features that are missing."""
        import pandas as pd

        table = pd.DataFrame(columns)
        if not self.model.gives_probabilities:
            return Said(self.model.predict(table).tolist())
        # One pass for both: what is predicted is the label with the highest probability.
        probabilities = self.model.predict_proba(table)
        labels = self.labels
        return Said([labels[place] for place in probabilities.argmax(axis=1)], probabilities.round(6).tolist())


class ChampionFollower:
    """`served` is the newest version that could be loaded; None until there is one. `problem` says what is wrong."""

    def __init__(self, registry: MlflowRegistry, model: str, folder: Path) -> None:
        self._registry = registry
        self._model = model
        self._folder = folder
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="champion", daemon=True)
        self.served: Served | None = None
        self.problem = "The model is being loaded."

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def look(self) -> None:
        """Load the champion if it is another version than the one that is served, which else goes on serving."""
        champion = self._registry.champion(self._model)
        if champion is None:
            self.problem = f"{self._model} has no champion yet."
            return
        if self.served is not None and self.served.version == champion.version:
            return
        # A pickle runs code when it is loaded: only the very file that was registered is, never one without a digest.
        promised = champion.tags.get(DIGEST_TAG, "")
        if not promised:
            raise Refused(f"Version {champion.version} of {self._model} was registered without a digest.")
        copy = self._folder / f"version-{champion.version}.pkl"
        self._registry.fetch_model(champion, copy)
        self.served = Served(champion.version, _load(copy, promised))
        self.problem = ""
        log.info("serving", model=self._model, version=champion.version)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except (Refused, Unavailable, *MISTAKES) as problem:
                self.problem = str(problem)
                log.warning("the champion cannot be loaded", model=self._model, reason=str(problem))
            self._stopping.wait(EVERY_SECONDS)


def _load(copy: Path, digest: str) -> Any:
    from pipelines.retrain.artefacts import load_model

    try:
        return load_model(copy, digest)
    finally:
        copy.unlink()
