"""Data that tests compare with, where it is at hand."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shipmate_data() -> Path:
    """The directory of recorded data that nobody of this project wrote; tests that need it skip without it."""
    folder = Path(os.environ.get("SHIPMATE_DATA") or CHECKOUT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("SHIPMATE_DATA does not name a directory, so there is nothing recorded to compare with")
    return folder
