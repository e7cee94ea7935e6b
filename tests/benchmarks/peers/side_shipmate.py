"""Our side: what the bot does with a folder of Markdown."""

import hashlib
import tempfile
from datetime import UTC, datetime

from peer import measure

from bot.clients.documents import KnowledgeIndex
from bot.clients.documents_lance import LanceStore
from bot.clients.embeddings import BundledEmbedding
from pipelines.ask.chunks import split
from pipelines.ask.values import Document

embedding = BundledEmbedding()
index = KnowledgeIndex(LanceStore(tempfile.mkdtemp(), embedding.name), embedding)


def take(pages: list[dict]) -> None:
    documents = []
    for page in pages:
        if chunks := split(page["text"], page.get("title", "")):
            content = hashlib.sha256(f"{page.get('title')}\n{page['text']}".encode()).hexdigest()
            document = Document(
                page["_id"], page.get("title", ""), page["_id"], "folder", content, datetime.now(UTC), "x"
            )
            documents.append((document, chunks))
    index.put_all(documents)
    index.tidy()


measure(take, lambda question: [passage.document.id for passage in index.search(question, None, 100)])
