"""Judges Shipmate by data that somebody else has judged: `shipmate evaluate WHAT`, a subcommand a judge."""

import argparse
from pathlib import Path
from typing import Any

from bot.evaluation.evidence import add_evidence


def add_evaluations(commands: "argparse._SubParsersAction[Any]") -> None:
    about = "judge Shipmate by data that somebody else has judged"
    evaluate = commands.add_parser("evaluate", help=about, description=about)
    what = evaluate.add_subparsers(required=True, metavar="WHAT")
    _add_retrieval(what.add_parser("retrieval", help="documents for questions, in BEIR's form"))
    add_evidence(what)


def _add_retrieval(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Index corpus.jsonl as production would, ask queries.jsonl, judge by qrels.tsv (or .gz of each)."
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="folder with the three files")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--run", dest="run_file", type=Path, metavar="FILE", help="write query id -> document ids")
    parser.set_defaults(run=_retrieval)


def _retrieval(asked: argparse.Namespace) -> int:
    from bot.evaluation.retrieval import evaluate

    return evaluate(asked.data, asked.json, asked.run_file)
