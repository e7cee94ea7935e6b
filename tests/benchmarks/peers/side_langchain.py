"""LangChain with Chroma, as its quick start has it: pieces of 1,000 characters with 200 repeated, on disk."""

import os
import tempfile

from langchain_chroma import Chroma
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from minilm32 import MiniLm32
from peer import measure


class SameWeights(Embeddings):
    def __init__(self) -> None:
        self.model = MiniLm32(os.environ["MINILM32"])

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.model.embed(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self.model.embed([text])[0].tolist()


store = Chroma(collection_name="pages", embedding_function=SameWeights(), persist_directory=tempfile.mkdtemp())


def take(pages: list[dict]) -> None:
    documents = [Document(f"{page.get('title', '')}\n{page['text']}", metadata={"id": page["_id"]}) for page in pages]
    pieces = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_documents(documents)
    for start in range(0, len(pieces), 5_000):  # the most that Chroma takes at once
        store.add_documents(pieces[start : start + 5_000])


measure(take, lambda question: [found.metadata["id"] for found in store.similarity_search(question, k=100)])
