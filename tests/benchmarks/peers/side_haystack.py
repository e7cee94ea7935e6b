"""Haystack's hybrid tutorial: BM25 and vectors in memory, joined by reciprocal rank, pieces of 200 words."""

import os

from haystack import Document, Pipeline, component
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from minilm32 import MiniLm32
from peer import measure

model = MiniLm32(os.environ["MINILM32"])
store = InMemoryDocumentStore(embedding_similarity_function="cosine")


@component
class QuestionEmbedder:
    @component.output_types(embedding=list[float])
    def run(self, text: str) -> dict[str, list[float]]:
        return {"embedding": model.embed([text])[0].tolist()}


def take(pages: list[dict]) -> None:
    documents = [
        Document(content=f"{page.get('title', '')}\n{page['text']}", meta={"page": page["_id"]}) for page in pages
    ]
    splitter = DocumentSplitter(split_by="word", split_length=200, split_overlap=30)
    splitter.warm_up()
    pieces = splitter.run(documents=documents)["documents"]
    for piece, vector in zip(pieces, model.embed([piece.content for piece in pieces]), strict=True):
        piece.embedding = vector.tolist()
    store.write_documents(pieces)


hybrid = Pipeline()
hybrid.add_component("embedder", QuestionEmbedder())
hybrid.add_component("vectors", InMemoryEmbeddingRetriever(store, top_k=100))
hybrid.add_component("words", InMemoryBM25Retriever(store, top_k=100))
hybrid.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=100))
hybrid.connect("embedder.embedding", "vectors.query_embedding")
hybrid.connect("vectors", "joiner")
hybrid.connect("words", "joiner")


def ask(question: str) -> list[str]:
    found = hybrid.run({"embedder": {"text": question}, "words": {"query": question}})["joiner"]["documents"]
    return [document.meta["page"] for document in found]


measure(take, ask)
