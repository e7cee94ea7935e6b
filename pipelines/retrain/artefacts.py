"""Writes the trained model: a pickle that stands alone, and a folder in MLflow's format where MLflow is installed."""

import hashlib
import logging
import pickle
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path

import cloudpickle

from pipelines.retrain import columns, model
from pipelines.retrain.model import TableModel

MODEL_FILE = "model.pkl"
MLFLOW_FOLDER = "mlflow-model"


def save_model(trained: TableModel, folder: Path) -> str:
    """Write model.pkl; answers its SHA-256. Our own classes go in by value: loading takes no Shipmate."""
    path = folder / MODEL_FILE
    unfinished = path.with_suffix(".part")
    _carry_own_classes()
    with unfinished.open("wb") as stream:
        cloudpickle.dump(trained, stream)
    unfinished.replace(path)
    return file_sha256(path)


def load_model(path: Path, sha256: str | None) -> TableModel:
    """The pickled model. Raises ValueError unless it is the very file whose digest is `sha256`."""
    found = file_sha256(path)
    if found != sha256:
        raise ValueError(f"the file {path.name} is not the one that was registered (SHA-256 {found[:12]})")
    with path.open("rb") as stream:
        # The digest was just compared with the one that came with the order.
        loaded: TableModel = pickle.load(stream)  # noqa: S301
    return loaded


def save_for_mlflow(trained: TableModel, raw_types: dict[str, str], folder: Path) -> bool:
    """Write the folder `mlflow-model/` with a signature; False when the full MLflow is not installed."""
    try:
        import mlflow.sklearn
        from mlflow.models import ModelSignature
        from mlflow.types.schema import ColSpec, DataType, Schema, TensorSpec
    except ImportError:
        return False
    target = folder / MLFLOW_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(DataType[_mlflow_type(kind)], name, required=False) for name, kind in raw_types.items()
    ]
    output = ColSpec(DataType[_label_type(trained)])
    _carry_own_classes()
    with warnings.catch_warnings():
        # MLflow says, as a warning and in its log, that a pickle can run code: nobody can act on it here.
        warnings.simplefilter("ignore")
        logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)
        mlflow.sklearn.save_model(
            trained, str(target), serialization_format="cloudpickle",
            signature=ModelSignature(Schema(inputs), Schema([output])),
            pip_requirements=[f"{name}=={version(name)}" for name in ("scikit-learn", "pandas", "cloudpickle")],
        )  # fmt: skip
    return True


def file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _carry_own_classes() -> None:
    cloudpickle.register_pickle_by_value(columns)
    cloudpickle.register_pickle_by_value(model)


def _mlflow_type(kind: str) -> str:
    if kind in ("bool", "boolean"):
        return "boolean"
    if kind.startswith("datetime"):
        return "datetime"
    # Whole numbers too: a missing one makes the column float.
    return "double" if kind.lower().startswith(("int", "uint", "float", "double")) else "string"


def _label_type(trained: TableModel) -> str:
    if not trained.labels:
        return "double"
    return "long" if isinstance(trained.labels[0], int) else "string"
