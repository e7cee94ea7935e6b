"""Data that tests compare with, where it is at hand."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument alone: a packed file carries its second, which would rename the test."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session", autouse=True)
def no_keys_of_this_machine() -> Iterator[None]:
    """A developer's own keys must not make the tests ask a real language model."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
            environment.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True)
def no_registry_of_another_test() -> Iterator[None]:
    """MLflow's set_tracking_uri writes into the environment, and later tests would register there."""
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(scope="session")
def shipmate_data() -> Path:
    """The directory of recorded data that nobody of this project wrote; tests that need it skip without it."""
    folder = Path(os.environ.get("SHIPMATE_DATA") or CHECKOUT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("SHIPMATE_DATA does not name a directory, so there is nothing recorded to compare with")
    return folder
