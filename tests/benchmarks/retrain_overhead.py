"""`/retrain` from approval to registered, against the bare training process and a plain scikit-learn script.

.venv/bin/python tests/benchmarks/retrain_overhead.py
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bot_process import prepare, running, wait_until_it_answers

from bot.app import registered_manifest
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

RUNS = 3
MODEL = "diabetes-progression"
BARE_SCRIPT = """
import sys, pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import RandomizedSearchCV, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
table = pd.read_csv(sys.argv[1])
x, y = table.drop(columns="progression"), table["progression"]
xt, xs, yt, ys = train_test_split(x, y, test_size=0.2, random_state=7)
columns = make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector()))
pipe = make_pipeline(columns, HistGradientBoostingRegressor(random_state=7))
grid = {"histgradientboostingregressor__learning_rate": [0.02, 0.05, 0.1, 0.2],
        "histgradientboostingregressor__max_leaf_nodes": [7, 15, 31]}
search = RandomizedSearchCV(pipe, grid, n_iter=8, cv=3, random_state=7).fit(xt, yt)
cross_validate(search.best_estimator_, x, y, cv=5, scoring=("r2", "neg_mean_squared_error", "neg_mean_absolute_error"))
permutation_importance(search.best_estimator_, xs, ys, n_repeats=5, random_state=7)
print(r2_score(ys, search.predict(xs)))
"""


def main() -> None:
    """Print the medians of both."""
    with tempfile.TemporaryDirectory() as name:
        whole, bare = both(Path(name))
    sys.stdout.write("| what | median s | min s | max s |\n|---|---|---|---|\n")
    for label, seconds in (("/retrain, approval to registered", whole), ("bare scikit-learn script", bare)):
        low, high = min(seconds), max(seconds)
        sys.stdout.write(f"| {label} | {statistics.median(seconds):.2f} | {low:.2f} | {high:.2f} |\n")


def both(folder: Path) -> tuple[list[float], list[float]]:
    prepare(folder)
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    whole, bare = [], []
    try:
        with running(folder, sandbox):
            wait_until_it_answers(Workspace(sandbox.url))
            for run in range(RUNS):
                whole.append(retrain(sandbox, run + 1))
                bare.append(script(folder / "data" / f"{MODEL}.csv"))
    finally:
        sandbox.stop()
    return whole, bare


def retrain(sandbox: SlackSandbox, version: int) -> float:
    space = Workspace(sandbox.url)
    ana, ben = space.person("ana"), space.person("ben")
    space.type(f"/retrain {MODEL}", as_=ben, channel="#ml")
    card = space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", seconds=30, as_=ben)
    began = time.perf_counter()
    space.press(card, "Approve", as_=ana)
    space.wait_for_message("#ml", containing=f"version {version} is the new champion", seconds=120, as_=ben)
    return time.perf_counter() - began


def script(data: Path) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE_SCRIPT, str(data)], check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
