"""The demo's runbooks answer the questions that its people would ask, through the whole way from file to passage."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import bot.demo
from bot.clients.documents import KnowledgeIndex
from bot.clients.documents_lance import LanceStore
from bot.clients.embeddings import BundledEmbedding
from bot.clients.sources import Source, SourceSync
from pipelines.ask.chunks import count_words

DOCUMENTS = Path(bot.demo.__file__).with_name("documents")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    embedding = BundledEmbedding()
    made = KnowledgeIndex(LanceStore(str(tmp_path_factory.mktemp("knowledge")), embedding.name), embedding)
    syncing = SourceSync(made, tmp_path_factory.mktemp("clones"), lambda: datetime(2026, 11, 23, tzinfo=UTC))
    outcome = syncing.sync(Source("demo", str(DOCUMENTS)))
    assert (outcome.refused, outcome.put) == ((), len(list(DOCUMENTS.glob("*.md"))))
    assert syncing.sync(Source("demo", str(DOCUMENTS))).put == 0
    return made


@pytest.mark.parametrize(
    ("question", "page", "heading"),
    [
        ("How do I roll back churn?", "rollback.md", ""),
        ("Who may approve a retrain?", "retrain-policy.md", "Who"),
        ("what does PSI above 0.25 mean", "drift-basics.md", "The measure"),
        ("the training was killed because it ran out of memory", "training-failures.md", "Out of memory"),
        ("When is the churn table fresh?", "data-sources.md", ""),
        ("predictions are slow, what can I do?", "serving-latency.md", ""),
        ("what recall must the tumour model reach", "model-tumour.md", "What good looks like"),
        ("mlflow connection refused at night", "mlflow.md", "Common errors"),
        ("whom should I wake at night?", "on-call.md", "When to wake somebody"),
    ],
)
def test_a_question_finds_its_page(index, question, page, heading):
    best = index.search(question, None)[0]
    assert best.document.source == page
    assert heading in best.chunk.headings or not heading


def test_every_page_is_short_and_has_a_title_of_its_own():
    pages = [file.read_text() for file in DOCUMENTS.glob("*.md")]
    assert 10 <= len(pages) <= 15
    assert max(count_words(page) for page in pages) < 400
    assert len({page.splitlines()[0] for page in pages}) == len(pages)
