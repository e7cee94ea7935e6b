"""When does evidence count as weak, and which sentences count as supported? Prints tables over thresholds.

    .venv/bin/python tests/benchmarks/ask_evidence.py

Questions with an answer: the judged runbook queries, and natural ones written here. Without: the same judged queries
with every page of their alert taken away (near), natural ones that no runbook answers, and queries of two other
collections (far).
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.clients.documents import KnowledgeIndex
from bot.clients.documents_lance import LanceStore
from bot.clients.embeddings import BundledEmbedding
from bot.evaluation.judged import JudgedSet, read_judged_set
from pipelines.ask.chunks import split
from pipelines.ask.citations import sentences, support
from pipelines.ask.evidence import Evidence, Floor, weigh
from pipelines.ask.values import Chunk, Document, Passage

DATA = Path(os.environ.get("SHIPMATE_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data")

ANSWERED = (
    "what do I do when alertmanager cannot reload its configuration?",
    "a pod is crash looping, where do I start?",
    "etcd has no leader",
    "why is the kubernetes API error budget burning?",
    "persistent volume is filling up",
    "node filesystem runs out of inodes",
    "how do I find out why a deployment has the wrong number of replicas?",
    "prometheus drops samples with duplicate timestamps",
    "kubelet client certificate is about to expire",
    "a job takes too long to complete",
    "CPU throttling of a container is high",
    "clock skew detected on a node",
    "the RAID array of a node is degraded",
    "why does prometheus not ingest samples?",
    "alertmanager members are inconsistent",
    "what does the watchdog alert mean?",
    "daemon set is not scheduled on all nodes",
    "etcd database quota is low, what now?",
    "statefulset update was not rolled out",
    "horizontal pod autoscaler is maxed out",
)
UNANSWERED = (
    "how many days of parental leave do I get?",
    "what is the wifi password of the Berlin office?",
    "who is on call this weekend?",
    "how do I roll the churn model back to the previous version?",
    "when does the feature store backfill run?",
    "what did we pay for GPUs last month?",
    "how do I order a new laptop?",
    "which learning rate did the last training run use?",
    "how do I add a column to the orders table in Snowflake?",
    "what is the latency budget of the recommendation service?",
    "how do I rotate the API key of the payment provider?",
    "who approved the last deployment of the search ranking?",
    "where are the minutes of the architecture meeting?",
    "how do I get access to the Tableau dashboards?",
    "what is our refund policy for enterprise customers?",
    "how do I renew the contract with the data vendor?",
    "which airflow DAG loads the customer events?",
    "what is the difference between the staging and the demo tenant?",
    "how do I configure spell checking in VS Code?",
    "why was the offsite in Lisbon cancelled?",
)


def main() -> None:
    judged = read_judged_set(DATA / "retrieval" / "runbooks")
    with tempfile.TemporaryDirectory() as folder:
        embedding = BundledEmbedding()
        index = KnowledgeIndex(LanceStore(folder, embedding.name), embedding)
        index.put_all(list(_documents(judged)))
        floor = Floor(index)()
        sys.stdout.write(f"floor {floor:.2f}\n")
        groups = {name: [replace(one, floor=floor) for one in found] for name, found in _groups(index, judged)}
        _print_evidence(groups)
        _print_support(index, judged)
        index.close()


def _groups(index: KnowledgeIndex, judged: JudgedSet) -> Iterator[tuple[str, Iterator[Evidence]]]:
    asked = {query: text for query, text in judged.queries.items() if query in judged.judgements}
    yield "answered, judged", (weigh(text, index.search(text, None)) for text in asked.values())
    yield "answered, natural", (weigh(text, index.search(text, None)) for text in ANSWERED)
    yield "unanswered, near", (weigh(text, _without_gold(index, judged, query, text)) for query, text in asked.items())
    yield "unanswered, natural", (weigh(text, index.search(text, None)) for text in UNANSWERED)
    for name in ("cranfield", "vaswani"):
        far = list(read_judged_set(DATA / "retrieval" / name).queries.values())[:60]
        yield f"unanswered, {name}", (weigh(text, index.search(text, None)) for text in far)


def _without_gold(index: KnowledgeIndex, judged: JudgedSet, query: str, text: str) -> Sequence[Passage]:
    """What is found when all pages about the question's alert are away, whichever collection they come from."""
    titles = {judged.corpus[gold][0].lower() for gold in judged.judgements[query] if gold in judged.corpus}
    found = [passage for passage in index.search(text, None, 100) if passage.document.title.lower() not in titles]
    return found[:5]


def _print_evidence(groups: dict[str, list[Evidence]]) -> None:
    sys.stdout.write(f"{'':22}   n  closeness 10/50/90 %        cover 10/50/90 %         strong\n")
    for name, found in groups.items():
        near, cover = sorted(one.closeness for one in found), sorted(one.cover for one in found)
        strong = sum(one.strong for one in found) / len(found)
        spread = "  ".join(
            f"{row[int(share * (len(row) - 1))]:.2f}" for row in (near, cover) for share in (0.1, 0.5, 0.9)
        )
        sys.stdout.write(f"{name:22} {len(found):3}  {spread}   {strong:.0%}\n")
    sys.stdout.write("\nanswered kept / unanswered refused (near, natural, far), by rule\n")
    for near in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45):
        for far in (0.15, 0.24, near):
            for words in (0.5, 0.6, 0.75) if far < near else (0.0,):
                _print_rule(groups, near, min(far, near), words)


def _print_rule(groups: dict[str, list[Evidence]], near: float, far: float, words: float) -> None:
    def strong(one: Evidence) -> bool:
        risen = (one.closeness - one.floor) / (1 - one.floor)
        return risen >= near or (risen >= far and one.cover >= words)

    def share(prefix: str) -> float:
        found = [one for name, group in groups.items() if name.startswith(prefix) for one in group]
        return sum(strong(one) for one in found) / len(found)

    other = (share("unanswered, cranfield") + share("unanswered, vaswani")) / 2
    sys.stdout.write(
        f"near {near:.2f} far {far:.2f} words {words:.2f}: judged {share('answered, judged'):.0%} natural "
        f"{share('answered, natural'):.0%} / near {1 - share('unanswered, near'):.0%} natural "
        f"{1 - share('unanswered, natural'):.0%} far {1 - other:.0%}\n"
    )


def _print_support(index: KnowledgeIndex, judged: JudgedSet) -> None:
    """Sentences of a found passage against that passage and against the other four that were found with it."""
    own, other = [], []
    for text in list(judged.queries.values())[:50]:
        passages = index.search(text, None)
        for passage in passages:
            for sentence in sentences(passage.chunk.text)[:4]:
                own.append(support(sentence, [passage]))
                other += [support(sentence, [one]) for one in passages if one.document.title != passage.document.title]
    sys.stdout.write(f"\nsupport: {len(own)} sentences against their own passage, {len(other)} pairs with another\n")
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        kept = sum(one >= threshold for one in own) / max(1, len(own))
        fooled = sum(one >= threshold for one in other) / max(1, len(other))
        sys.stdout.write(f"  {threshold:.1f}: own kept {kept:.1%}, other kept {fooled:.1%}\n")


def _documents(judged: JudgedSet) -> Iterator[tuple[Document, tuple[Chunk, ...]]]:
    for name, (title, text) in judged.corpus.items():
        if chunks := split(text, title):
            content = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()
            yield Document(name, title, name, "folder", content, datetime.now(UTC), "benchmark"), chunks


if __name__ == "__main__":
    main()
