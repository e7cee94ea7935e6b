"""Measures on labelled cases: `shipmate evaluate WHAT --data FOLDER`."""

import argparse
from collections.abc import Callable

Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_measures(command: Command) -> None:
    """Add `evaluate` and what can be measured; one line each."""
    from bot.evaluation.evidence import add_evidence

    parser = command("evaluate", _unasked, "measure on labelled cases")
    measures = parser.add_subparsers(required=True, metavar="WHAT")
    add_evidence(measures)


def _unasked(_asked: argparse.Namespace) -> int:
    return 2
