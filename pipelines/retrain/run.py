"""One training run, step by step: read, choose, fit, judge, describe, write."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.errors import Refused
from pipelines.json_values import to_json
from pipelines.retrain import artefacts, conformal, trainer
from pipelines.retrain.dataset import Dataset, load
from pipelines.retrain.evaluation import (
    Fit,
    Judge,
    cross_validate,
    judge_champion,
    permutation_importance,
)
from pipelines.retrain.memory import MemoryWatch
from pipelines.retrain.metrics import Predictions, codes_of
from pipelines.retrain.model import TableModel
from pipelines.retrain.own_trainer import MISTAKES, TrainerFailed, find_trainer, fit_own
from pipelines.retrain.profiling import draw_profile
from pipelines.retrain.sampling import hold_out, representative_rows
from pipelines.retrain.values import Coverage, TrainingJob, TrainingResult
from pipelines.retrain.workdir import PROFILE, RESULT, Workdir

# Where each step begins on the way from 0 to 1; read off the runs of the demo's models.
READING, SEARCHING, FITTING, JUDGING, FOLDING, EXPLAINING, WRITING = 0.02, 0.12, 0.45, 0.52, 0.55, 0.85, 0.93

# Cross-validation fits once a fold; more rows than this only make the same spread slower.
CROSS_VALIDATION_ROWS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The rows to learn from, the rows to be judged on, and those to cross-validate on."""

    train: Any
    train_target: Any
    test: Any
    test_target: Any
    folded: Any
    folded_target: Any


class TrainingRun:
    def __init__(self, job: TrainingJob, workdir: Workdir, memory: MemoryWatch, started: float) -> None:
        self._job = job
        self._workdir = workdir
        self._memory = memory
        self._started = started
        self._warnings: list[str] = []

    def finish(self) -> None:
        """All steps to result.json. Raises Refused for the data, TrainerFailed for a team's own trainer."""
        dataset = self._read()
        judge = Judge(dataset.labels, self._job.positive_label)
        split = self._split(dataset)
        # A large table is not held twice: from here on there are only its parts.
        dataset = replace(dataset, features=None, target=None)
        fit, description = self._choose(split)
        self._workdir.tell("fitting", FITTING, f"{description} on {len(split.train):,} rows")
        estimator = fit(split.train, split.train_target)
        self._workdir.tell("evaluating", JUDGING, f"on {len(split.test):,} rows held out")
        predicted = self._predict(judge, estimator, split.test)
        result = self._judged(dataset, judge, fit, estimator, split, predicted)
        model = TableModel(dataset.columns, self._job.target, estimator, dataset.labels)
        self._write(dataset, split, predicted, model, replace(result, estimator=description))

    def _read(self) -> Dataset:
        self._workdir.tell("reading", READING)
        last_told = time.monotonic()

        def on_rows(rows: int) -> None:
            nonlocal last_told
            if time.monotonic() - last_told > 0.5:
                last_told = time.monotonic()
                self._workdir.tell("reading", READING, f"{rows:,} rows so far")

        dataset = load(self._job, self._workdir.folder, on_rows)
        (self._workdir.folder / "table.part").unlink(missing_ok=True)
        self._warnings.extend(dataset.warnings)
        return dataset

    def _split(self, dataset: Dataset) -> Split:
        job, features, target = self._job, dataset.features, dataset.target
        train, test = hold_out(target, job.problem, job.seed)
        folded = representative_rows(
            target, job.problem, most=CROSS_VALIDATION_ROWS, least_a_class=5 * job.folds, seed=job.seed
        )
        if len(folded) < len(target):
            self._warnings.append(f"Cross-validation is on {len(folded):,} of the {len(target):,} rows.")
        return Split(
            features.iloc[train], target.iloc[train], features.iloc[test], target.iloc[test],
            features.iloc[folded], target.iloc[folded],
        )  # fmt: skip

    def _choose(self, split: Split) -> tuple[Fit, str]:
        """How to fit, and what that is called."""
        job = self._job
        if job.trainer.startswith("image:"):
            raise TrainerFailed(
                f"`trainer: {job.trainer}` is run as an image, by the runner; it has nothing to do here."
            )
        if job.trainer != "builtin":
            own = find_trainer(job.trainer)
            return (lambda features, target: fit_own(own, job, features, target)), job.trainer

        def on_candidate(index: int, text: str) -> None:
            done = index / job.search_candidates
            self._workdir.tell("searching", SEARCHING + (FITTING - SEARCHING) * done, text)

        chosen = trainer.search(
            split.train, split.train_target, job.problem,
            count=job.search_candidates, seed=job.seed, on_candidate=on_candidate,
        )  # fmt: skip
        return (lambda features, target: self._fit_builtin(chosen, features, target)), str(chosen)

    def _fit_builtin(self, chosen: trainer.Candidate, features: Any, target: Any) -> Any:
        estimator, notes = trainer.fit(chosen, features, target, self._job.problem, self._job.seed)
        self._warnings.extend(notes)
        return estimator

    def _predict(self, judge: Judge, estimator: Any, features: Any) -> Predictions:
        try:
            return judge.predict(estimator, features)
        except MISTAKES as mistake:
            if self._job.trainer == "builtin":
                raise
            raise TrainerFailed(
                f"The model of `{self._job.trainer}` failed on the test rows: {type(mistake).__name__}: {mistake}"
            ) from mistake

    def _judged(
        self, dataset: Dataset, judge: Judge, fit: Fit, estimator: Any, split: Split, predicted: Predictions
    ) -> TrainingResult:
        job = self._job

        def on_fold(index: int) -> None:
            done = index / job.folds
            self._workdir.tell(
                "cross-validating", FOLDING + (EXPLAINING - FOLDING) * done, f"fold {index + 1} of {job.folds}"
            )

        metrics = judge.metrics(split.test_target, predicted)
        champion_metrics = self._champion_metrics(judge, split)
        folds = cross_validate(
            judge, fit, split.folded, split.folded_target, folds=job.folds, seed=job.seed, on_fold=on_fold
        )
        self._workdir.tell("explaining", EXPLAINING, "permutation importance")
        importance = permutation_importance(judge, estimator, split.test, split.test_target, job.seed)
        return TrainingResult(
            run_id=job.run_id, metrics=metrics, cross_validation=folds, champion_metrics=champion_metrics,
            importance=importance, coverage=self._coverage(judge, split, predicted),
            rows_train=len(split.train), rows_test=len(split.test),
            features=tuple(column.name for column in dataset.columns), data_sha256=dataset.sha256,
            estimator="", seconds=0.0, peak_memory_mb=0.0,
        )  # fmt: skip

    def _champion_metrics(self, judge: Judge, split: Split) -> dict[str, float] | None:
        """None without a champion; empty, with a warning, when it cannot be judged: then the gate fails."""
        if self._job.champion_model is None:
            return None
        try:
            path = self._workdir.fetch(self._job.champion_model)
            champion = artefacts.load_model(Path(path), self._job.champion_sha256)
            return judge_champion(judge, champion, split.test, split.test_target)
        except MISTAKES as mistake:
            words = " ".join(str(mistake).split())[:200]
            self._warnings.append(f"The champion could not be judged on these rows: {words or type(mistake).__name__}.")
            return {}

    def _coverage(self, judge: Judge, split: Split, predicted: Predictions) -> Coverage | None:
        coverage = None
        if judge.problem == "regression":
            coverage = conformal.interval_coverage(split.test_target, predicted.values, self._job.seed)
        elif predicted.probabilities is not None:
            codes = codes_of(split.test_target, judge.labels)
            coverage = conformal.set_coverage(codes, predicted.probabilities, self._job.seed)
        if coverage is None:
            self._warnings.append("Prediction intervals were not measured: too few test rows, or no probabilities.")
        return coverage

    def _write(
        self, dataset: Dataset, split: Split, predicted: Predictions, model: TableModel, result: TrainingResult
    ) -> None:
        self._workdir.tell("writing", WRITING, "model and profile")
        profile = draw_profile(self._job, split.train, split.train_target, predicted, split.test_target)
        self._workdir.write(PROFILE, to_json(profile))
        try:
            digest = artefacts.save_model(model, self._workdir.folder)
            with_mlflow = artefacts.save_for_mlflow(model, dataset.raw_types, self._workdir.folder)
        except OSError as problem:
            raise Refused(f"The model could not be written: {problem.strerror or problem}.") from problem
        except MISTAKES as mistake:
            if self._job.trainer == "builtin":
                raise
            raise TrainerFailed(f"The model of `{self._job.trainer}` cannot be pickled: {mistake}") from mistake
        for name in (artefacts.MODEL_FILE, *([artefacts.MLFLOW_FOLDER] if with_mlflow else [])):
            self._workdir.deliver(name)
        finished = replace(
            result, model_file=artefacts.MODEL_FILE, model_sha256=digest,
            seconds=round(time.monotonic() - self._started, 2), peak_memory_mb=self._memory.peak_mb,
            warnings=tuple(dict.fromkeys(self._warnings)),
        )  # fmt: skip
        self._workdir.tell("finished", 1.0)
        self._workdir.write(RESULT, to_json(finished))
