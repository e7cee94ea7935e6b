"""The tables of the demo's models: two that ship with scikit-learn, and two that come of processes written here.

`churn.csv` has 50,000 customers. Whether one cancels is drawn with exactly the probability that
`churn_probability` gives, so the best that any model can reach is known: measured over this very table, ranking by
the true probability has a ROC AUC of 0.832 and a log loss of 0.448 (tests/unit/test_demo_data.py). Missing values
hide some of the truth from a model, so it stays a little below.
"""

import os
from pathlib import Path
from typing import Any

from bot.demo.lending import MODEL as LENDING
from bot.demo.lending import loans

CUSTOMERS = 50_000
SEED = 20_261_123
FIRST_SIGNUP, LAST_SIGNUP = "2019-01-01", "2026-10-31"


def write_demo_data(folder: Path) -> None:
    """Write the four CSV files that are not there yet, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "diabetes-progression.csv": diabetes, "tumour.csv": tumour, "churn.csv": churn, f"{LENDING}.csv": loans,
    }  # fmt: skip
    for name, table in tables.items():
        path = folder / name
        if not path.exists():
            unfinished = folder / f"{name}.{os.getpid()}.part"
            table().to_csv(unfinished, index=False)
            unfinished.replace(path)


def diabetes() -> Any:
    """442 patients, ten measurements, and how far the disease had come a year later (Efron et al. 2004)."""
    from sklearn.datasets import load_diabetes

    loaded = load_diabetes(as_frame=True, scaled=False)
    return loaded.frame.rename(columns={"target": "progression"})


def tumour() -> Any:
    """569 cell samples with 30 measurements each (Wisconsin diagnostic breast cancer, Street et al. 1993)."""
    from sklearn.datasets import load_breast_cancer

    loaded = load_breast_cancer(as_frame=True)
    table = loaded.frame.rename(columns=lambda name: name.replace(" ", "_"))
    diagnosis = table.pop("target").map({0: "malignant", 1: "benign"})
    return table.assign(diagnosis=diagnosis)


def churn(customers: int = CUSTOMERS, seed: int = SEED) -> Any:
    """Customers of a telephone company and whether they cancelled; some values are missing."""
    import numpy as np

    random = np.random.default_rng(seed)
    table = _customers(random, customers)
    cancelled = random.random(customers) < churn_probability(table)
    return _with_gaps(table, random).assign(churned=np.where(cancelled, "yes", "no"))


def churn_probability(table: Any) -> Any:
    """The true probability of each customer of `_customers`, before values go missing."""
    import numpy as np

    score = (
        -0.35
        - 0.8 * np.log1p(table["tenure_months"] / 3)
        + 0.022 * (table["monthly_charges"] - 65)
        + table["contract"].map({"month-to-month": 0.9, "one year": -0.3, "two years": -1.3})
        + table["payment_method"].map({"invoice": 0.5, "card": 0.0, "bank transfer": -0.2, "wallet": 0.1})
        + 0.38 * table["support_tickets"]
        + table["region"].map({"north": 0.0, "south": 0.25, "east": -0.1, "west": 0.0, "islands": 0.6})
        - 0.45 * table["paperless"]
        # Those who pay much and use little leave; that takes both columns together to see.
        + 2.2 * ((table["monthly_charges"] > 75) & (table["data_used_gb"] < 12))
    )
    return 1 / (1 + np.exp(-score.to_numpy(dtype=np.float64)))


def _customers(random: Any, count: int) -> Any:
    import numpy as np
    import pandas as pd

    days = (pd.Timestamp(LAST_SIGNUP) - pd.Timestamp(FIRST_SIGNUP)).days
    age = np.minimum(random.exponential(750, count), days).astype(int)
    return pd.DataFrame(
        {
            "customer_id": [f"C{number:06d}" for number in random.permutation(count)],
            "signup_date": (pd.Timestamp(LAST_SIGNUP) - pd.to_timedelta(age, unit="D")).strftime("%Y-%m-%d"),
            "tenure_months": age // 30,
            "monthly_charges": np.round(np.clip(random.normal(65, 22, count), 15, 160), 2),
            "data_used_gb": np.round(random.gamma(2.0, 9.0, count), 1),
            "contract": random.choice(["month-to-month", "one year", "two years"], count, p=[0.55, 0.25, 0.2]),
            "payment_method": random.choice(
                ["card", "bank transfer", "invoice", "wallet"], count, p=[0.4, 0.3, 0.2, 0.1]
            ),
            "support_tickets": random.poisson(0.9, count),
            "region": random.choice(
                ["north", "south", "east", "west", "islands"], count, p=[0.3, 0.25, 0.2, 0.2, 0.05]
            ),
            "paperless": random.random(count) < 0.6,
        }
    )


def _with_gaps(table: Any, random: Any) -> Any:
    """The same table, as systems really hand it out: some values were never recorded."""
    shares = {"monthly_charges": 0.02, "data_used_gb": 0.06, "payment_method": 0.03, "region": 0.04}
    gaps = {name: table[name].mask(random.random(len(table)) < share) for name, share in shares.items()}
    return table.assign(**gaps)
