"""Rows of the knowledge index in LanceDB: the schema, and the way from values to rows and back."""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.clients.documents_store import Entry, Kept, union
from pipelines.ask.values import Chunk, Document

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CHUNK_COLUMNS = ("number", "headings", "text", "first_line", "last_line")
# Of these a group can be told without its chunks.
GROUP_COLUMNS = ("content", "write", "copies")


@dataclass(frozen=True, slots=True)
class Group:
    """All documents of one content, and the commits that wrote its rows: one, unless two processes did at once."""

    content: str
    documents: tuple[Document, ...]
    writes: tuple[str, ...]


def schema(column: str, dimension: int) -> "pa.Schema":
    """`copies` (JSON) tells every document of the content; `ids`, `channels`, `everybody` repeat it for filters."""
    import pyarrow as pa

    texts = pa.list_(pa.string())
    return pa.schema(
        [
            *((name, pa.string()) for name in ("key", "write", "content", "copies", "text", "words")),
            *((name, texts) for name in ("ids", "channels", "headings")),
            *((name, pa.int32()) for name in ("number", "first_line", "last_line")),
            ("everybody", pa.bool_()), ("leads", pa.bool_()), vector_field(column, dimension),
        ]
    )  # fmt: skip


def vector_field(column: str, dimension: int) -> "pa.Field[Any]":
    import pyarrow as pa

    return pa.field(column, pa.list_(pa.float32(), dimension))


def vector_array(vectors: "np.ndarray") -> "pa.Array[Any]":
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])


def rows_of(entry: Entry, documents: Sequence[Document], column: str, shape: "pa.Schema") -> "pa.Table":
    """New rows for a content that `documents` have; vectors of other embeddings stay empty."""
    import pyarrow as pa

    count, write = len(entry.chunks), uuid.uuid4().hex
    columns: dict[str, Any] = {
        "key": [uuid.uuid4().hex for _ in range(count)],
        "write": [write] * count,
        "content": [entry.document.sha256] * count,
        "words": list(entry.words),
        "leads": [place == 0 for place in range(count)],
        **{name: [getattr(chunk, name) for chunk in entry.chunks] for name in CHUNK_COLUMNS},
        **{name: [value] * count for name, value in _told(documents).items()},
        column: vector_array(entry.vectors),
    }
    others = {name: pa.nulls(count, shape.field(name).type) for name in shape.names if name not in columns}
    return pa.table({**columns, **others}, schema=shape)


def rewritten(rows: "pa.Table", documents: Sequence[Document], shape: "pa.Schema") -> "pa.Table":
    """The rows of one content as they are, for other documents than before."""
    import pyarrow as pa

    write = rows["write"][0].as_py()
    kept = rows.filter(pa.compute.equal(rows["write"], write))  # what was written twice is there once again
    count = kept.num_rows
    new: dict[str, Any] = {"key": [uuid.uuid4().hex for _ in range(count)], "write": [uuid.uuid4().hex] * count}
    new |= {name: [value] * count for name, value in _told(documents).items()}
    return pa.table({name: new.get(name, kept[name]) for name in shape.names}, schema=shape)


def groups_of(rows: "pa.Table") -> list[Group]:
    found: dict[str, tuple[dict[str, Document], dict[str, None]]] = {}
    for row in rows.select(list(GROUP_COLUMNS)).to_pylist():
        documents, writes = found.setdefault(row["content"], ({}, {}))
        if row["write"] not in writes:
            writes[row["write"]] = None
            documents |= {document.id: document for document in documents_from(row["copies"])}
    return [Group(content, tuple(documents.values()), tuple(writes)) for content, (documents, writes) in found.items()]


def kept_of(rows: "pa.Table", group: Group, column: str) -> Kept:
    """What is kept of a content, by the first of its writes; `rows` may hold others too."""
    import numpy as np

    own = [row for row in rows.to_pylist() if row["write"] == group.writes[0]]
    own.sort(key=lambda row: row["number"])
    vectors = [row.get(column) for row in own]
    whole = None if any(vector is None for vector in vectors) else np.asarray(vectors, np.float32)
    return Kept(group.documents, tuple(chunk_from(row) for row in own), whole)


def chunk_from(row: dict[str, Any]) -> Chunk:
    return Chunk(row["number"], tuple(row["headings"]), row["text"], row["first_line"], row["last_line"])


def documents_from(copies: str) -> tuple[Document, ...]:
    return tuple(
        Document(
            **{
                **each,
                "added_at": datetime.fromisoformat(each["added_at"]),
                "channels": tuple(each["channels"]),
            }
        )
        for each in json.loads(copies)
    )


def _told(documents: Iterable[Document]) -> dict[str, Any]:
    documents = sorted(documents, key=lambda document: (document.added_at, document.id))
    channels = union(documents)
    copies = [{**asdict(document), "added_at": document.added_at.isoformat()} for document in documents]
    return {
        "copies": json.dumps(copies, ensure_ascii=False),
        "ids": [document.id for document in documents],
        "channels": list(channels),
        "everybody": not channels,
    }
