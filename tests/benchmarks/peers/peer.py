"""What every side of the comparison does: take in the same pages, answer the same questions, tell its figures."""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

Take = Callable[[list[dict]], None]
Ask = Callable[[str], list[str]]


def measure(take: Take, ask: Ask) -> None:
    """`take` the pages, `ask` for the ids of ten documents or more; arguments: folder of the judged set, most pages."""
    folder = Path(sys.argv[1])
    pages = [json.loads(line) for line in (folder / "corpus.jsonl").open()][: int(sys.argv[2])]
    questions = [json.loads(line) for line in (folder / "queries.jsonl").open()]
    started = time.perf_counter()
    take(pages)
    seconds = time.perf_counter() - started
    ask(questions[0]["text"])
    run, times = {}, []
    for question in questions:
        started = time.perf_counter()
        found = ask(question["text"])
        times.append(1000 * (time.perf_counter() - started))
        run[question["_id"]] = list(dict.fromkeys(found))[:100]
    figures = {
        "documents_per_second": len(pages) / seconds,
        "p50_ms": statistics.median(times),
        "p99_ms": statistics.quantiles(times, n=100)[98],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "run": run,
    }
    sys.stdout.write(json.dumps(figures) + "\n")
