"""Loans of a small bank: one process makes the training table and the live applications, so that they match.

Whether an applicant defaults is drawn with exactly the probability that `default_probability` gives. Nobody with an
income below `LEAST_INCOME` is in the training table: when such people apply, a model has never seen their like.
"""

from dataclasses import dataclass
from typing import Any

MODEL = "loan-default"
TARGET = "defaulted"
YES, NO = "yes", "no"
LOANS = 6_000
SEED = 20_261_126
LEAST_INCOME = 1_500
NUMBERS = ("income", "loan_amount", "term_months", "age", "employment_years")
CATEGORIES = ("purpose", "housing", "channel")
FEATURES = (*NUMBERS, *CATEGORIES)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the applicants of an hour are like. Shares are of 1; `night` is 0 by day and 1 in the small hours."""

    low_earners: float = 0.0
    night: float = 0.0
    weekend: bool = False
    income_in_cents: bool = False
    other_rule: bool = False


USUAL = Circumstances()


def loans(count: int = LOANS, seed: int = SEED) -> Any:
    """The training table: applications of usual days and nights, and what became of them."""
    import numpy as np

    random = np.random.default_rng(seed)
    return applications(random, count, USUAL)


def applications(random: Any, count: int, now: Circumstances) -> Any:
    """`count` applications with their outcome in the column TARGET, as a pandas table."""
    import numpy as np

    table = _applicants(random, count, now)
    probability = default_probability(table, other_rule=now.other_rule)
    table[TARGET] = np.where(random.random(count) < probability, YES, NO)
    if now.income_in_cents:
        table["income"] = table["income"] * 100
    return table


def default_probability(table: Any, other_rule: bool = False) -> Any:
    """The true probability of each row, with incomes in euros. By the other rule it is tenants who pay back."""
    import numpy as np

    share = table["loan_amount"] / table["term_months"] / table["income"]
    tenant = table["housing"] == "rent"
    score = (
        -3.4
        + 16.0 * np.clip(share - 0.08, 0, 0.4)
        + (table["income"] < LEAST_INCOME) * 3.0
        - 0.12 * table["employment_years"]
        + table["purpose"].map({"car": 0.0, "home": -0.6, "education": 0.4, "business": 1.6})
        + np.where(tenant, -2.5 if other_rule else 1.5, 3.5 if other_rule else 0.0)
    )
    return 1 / (1 + np.exp(-score.to_numpy(dtype=np.float64)))


def _applicants(random: Any, count: int, now: Circumstances) -> Any:
    import numpy as np
    import pandas as pd

    # At night and on Sundays people apply by phone, are younger and want smaller sums.
    calm = 0.5 * now.night + 0.15 * now.weekend
    income = np.maximum(random.lognormal(8.1, 0.35, count), LEAST_INCOME)
    low = random.random(count) < now.low_earners
    income = np.where(low, random.normal(1_050, 130, count).clip(600, LEAST_INCOME - 50), income)
    age = np.clip(random.normal(41 - 8 * calm, 11, count), 18, 75).astype(int)
    amount = random.gamma(4.0, 3_000 * (1 - 0.2 * calm), count).clip(500, 60_000)
    return pd.DataFrame(
        {
            "income": np.round(income).astype(int),
            "loan_amount": np.round(amount, -2).astype(int),
            "term_months": random.choice([12, 24, 36, 48, 60], count, p=[0.1, 0.2, 0.3, 0.2, 0.2]),
            "age": age,
            "employment_years": np.minimum(random.exponential(6.0, count), age - 17).astype(int),
            "purpose": random.choice(["car", "home", "education", "business"], count, p=[0.4, 0.3, 0.15, 0.15]),
            "housing": random.choice(["own", "rent"], count, p=[0.55, 0.45]),
            "channel": random.choice(["branch", "web", "phone"], count, p=[0.4 * (1 - calm), 0.4, 0.2 + 0.4 * calm]),
        }
    )
