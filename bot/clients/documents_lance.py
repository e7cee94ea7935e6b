"""The knowledge index in LanceDB: a folder, `s3://bucket/prefix`, or `s3+ddb://…` with DynamoDB as the commit lock.

One table, one row a chunk. The rows of one content are written together, in one commit, under one `write`. Replacing
is one commit too: it adds rows and deletes those of the writes that were read before. Should two processes change the
same at once, both commits may succeed; each looks afterwards whether its documents are there once, and mends it.
"""

import hashlib
import random
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.clients.documents_place import connect, maybe_outrun, told, writers_turn
from bot.clients.documents_rows import (
    CHUNK_COLUMNS,
    GROUP_COLUMNS,
    Group,
    chunk_from,
    documents_from,
    groups_of,
    kept_of,
    rewritten,
    rows_of,
    schema,
    vector_array,
    vector_field,
)
from bot.clients.documents_store import SERVICE, Entry, Hit, Kept, Waiting, may_see
from pipelines.ask.values import Document
from pipelines.ask.words import STOP_WORDS
from pipelines.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from lancedb.table import Table

TABLE = "passages"
EXACT_UP_TO = 100_000  # chunks; up to here every vector is looked at
KEPT_VERSIONS = timedelta(minutes=10)  # for readers that are in the middle of one
COMPLETE_FOR_SECONDS = 10
ATTEMPTS = 30


class LanceStore:
    """Opens on the first call. `options` go to the object store, such as `endpoint` and `allow_http`."""

    def __init__(self, url: str, embedding_name: str, options: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._options = dict(options or {})
        self._column = "vector_" + hashlib.sha256(embedding_name.encode()).hexdigest()[:10]
        self._turn = threading.Lock()  # of those that write; readers never wait for it
        self._opening = threading.Lock()
        self._opened: Table | None = None
        self._complete_until = 0.0

    def replace(self, entries: Sequence[Entry]) -> None:
        with self._turn, told(), writers_turn(self._url):
            table = self._writable(int(entries[0].vectors.shape[1]))
            contents = [entry.document.sha256 for entry in entries]
            ids = [entry.document.id for entry in entries]
            where = f"{_among('content', contents)} OR array_has_any(ids, make_array({_listed(ids)}))"
            for attempt in range(ATTEMPTS):
                groups = self._groups(table, where)
                if attempt > 0 and _settled(groups, entries):
                    return
                time.sleep(attempt * random.uniform(0.0, 0.02))  # noqa: S311 (no secret)
                with maybe_outrun():
                    self._write(table, groups, entries)
        raise Unavailable(SERVICE, "others are changing the same documents; ask again")

    def remove(self, document_id: str) -> bool:
        with self._turn, told(), writers_turn(self._url):
            table = self._table()
            if table is None:
                return False
            for attempt in range(ATTEMPTS):
                groups = self._groups(table, f"array_has(ids, {_text(document_id)})")
                if not groups:
                    return attempt > 0
                with maybe_outrun():
                    self._commit(table, self._remaining(table, groups, {document_id}), groups)
        return False

    def kept(self, contents: Sequence[str]) -> Mapping[str, Kept]:
        with told():
            table = self._table()
            if table is None or not contents:
                return {}
            wanted = [*GROUP_COLUMNS, *CHUNK_COLUMNS, *self._vector_columns(table)]
            rows = table.search().where(_among("content", contents)).select(wanted).to_arrow()
        import pyarrow.compute as pc

        found = {}
        for group in groups_of(rows):
            found[group.content] = kept_of(rows.filter(pc.equal(rows["content"], group.content)), group, self._column)
        return found

    def get(self, document_id: str) -> Document | None:
        with told():
            table = self._table()
            groups = self._groups(table, f"leads AND array_has(ids, {_text(document_id)})") if table is not None else []
        return next((each for group in groups for each in group.documents if each.id == document_id), None)

    def documents(self) -> Sequence[Document]:
        with told():
            table = self._table()
            groups = self._groups(table, "leads") if table is not None else []
        found = {document.id: document for group in groups for document in group.documents}
        return sorted(found.values(), key=lambda document: document.added_at, reverse=True)

    def nearest(self, vector: "np.ndarray", channel: str | None, limit: int) -> Sequence[Hit]:
        with told():
            table = self._table()
            if table is None or not self._vector_columns(table):
                return ()
            search: Any = table.search(vector, vector_column_name=self._column)
            # These count only where there is an index: look further, then compare the real vectors.
            return self._hits(
                search.distance_type("cosine").ef(4 * limit).refine_factor(2), "_distance", channel, limit
            )

    def matching(self, words: str, channel: str | None, limit: int) -> Sequence[Hit]:
        with told():
            table = self._table()
            if table is None:
                return ()
            search: Any = table.search(words, query_type="fts", fts_columns="words")
            return self._hits(search, "_score", channel, limit)

    def waiting(self, limit: int) -> Sequence[Waiting]:
        with told():
            table = self._table()
            if table is None or table.count_rows() == 0:
                return ()
            where = f"{self._column} IS NULL" if self._vector_columns(table) else "true"
            rows = table.search().where(where).select(["key", "copies", *CHUNK_COLUMNS]).limit(limit).to_arrow()
            return [
                Waiting(row["key"], documents_from(row["copies"])[0].title, chunk_from(row)) for row in rows.to_pylist()
            ]

    def fill(self, keys: Sequence[str], vectors: "np.ndarray") -> None:
        import pyarrow as pa

        with self._turn, told(), writers_turn(self._url):
            table = self._writable(int(vectors.shape[1]))
            made = pa.table({"key": list(keys), self._column: vector_array(vectors)})
            # Rows that were replaced meanwhile match nothing; what is outrun here is still waiting afterwards.
            with maybe_outrun():
                table.merge_insert("key").when_matched_update_all().execute(made)

    def complete(self) -> bool:
        # The answer changes only where the embedding was changed, so it is not looked up for each question.
        if time.monotonic() < self._complete_until:
            return True
        with told():
            table = self._table()
            if table is not None and self._lacks_vectors(table):
                return False
        self._complete_until = time.monotonic() + COMPLETE_FOR_SECONDS
        return True

    def tidy(self) -> int:
        # Compacting while another process writes may lose against it; the next time will do.
        with self._turn, told(), maybe_outrun():
            self._tidy()
        with told():
            table = self._table()
            return table.count_rows() if table is not None else 0

    def _tidy(self) -> None:
        table = self._table()
        if table is None:
            return
        table.optimize(cleanup_older_than=KEPT_VERSIONS)
        if self._lacks_vectors(table) or not self._vector_columns(table):
            return
        former = [name for name in table.schema.names if name.startswith("vector_") and name != self._column]
        if former:
            table.drop_columns(former)
        if table.count_rows() > EXACT_UP_TO and not _is_indexed(table, self._column):
            from lancedb.index import HnswSq

            table.create_index(self._column, config=HnswSq(distance_type="cosine"))

    def close(self) -> None:
        self._opened = None

    def _write(self, table: "Table", groups: Sequence[Group], entries: Sequence[Entry]) -> None:
        ids = {entry.document.id for entry in entries}
        by_content = {group.content: group for group in groups}
        documents: dict[str, list[Document]] = {}
        for entry in entries:
            content = entry.document.sha256
            beside = by_content[content].documents if content in by_content else ()
            documents.setdefault(content, [each for each in beside if each.id not in ids]).append(entry.document)
        fresh = {entry.document.sha256: entry for entry in entries}
        rows = [rows_of(fresh[content], owners, self._column, table.schema) for content, owners in documents.items()]
        left = [group for group in groups if group.content not in documents]
        self._commit(table, [*rows, *self._remaining(table, left, ids)], groups)

    def _remaining(self, table: "Table", groups: Sequence[Group], gone: set[str]) -> list["pa.Table"]:
        """Rows of contents that other documents have too, without the documents that are gone."""
        found = []
        for group in groups:
            if staying := [document for document in group.documents if document.id not in gone]:
                rows = table.search().where(_among("write", group.writes)).to_arrow()
                found.append(rewritten(rows, staying, table.schema))
        return found

    def _commit(self, table: "Table", rows: Sequence["pa.Table"], former: Sequence[Group]) -> None:
        """In one commit, `rows` instead of everything that `former` wrote."""
        import pyarrow as pa

        writes = [write for group in former for write in group.writes]
        if not rows:
            table.delete(_among("write", writes))
        elif not writes:
            table.add(pa.concat_tables(rows))
        else:
            merge = table.merge_insert("key").when_not_matched_insert_all()
            merge.when_not_matched_by_source_delete(_among("write", writes)).execute(pa.concat_tables(rows))
        if rows and not _is_indexed(table, "words"):
            with maybe_outrun():
                _index_words(table)

    def _groups(self, table: Any, where: str) -> list[Group]:
        return groups_of(table.search().where(where).select(list(GROUP_COLUMNS)).to_arrow())

    def _hits(self, query: Any, order: str, channel: str | None, limit: int) -> list[Hit]:
        seen = "everybody" if channel is None else f"(everybody OR array_has(channels, {_text(channel)}))"
        vectors = self._vector_columns(self._opened) if self._opened is not None else []
        columns = ["copies", *CHUNK_COLUMNS, *vectors, order]
        rows = query.where(seen, prefilter=True).limit(limit).select(columns).to_arrow()
        hits = []
        for place, row in enumerate(rows.drop_columns(vectors).to_pylist()):
            document = next((each for each in documents_from(row["copies"]) if may_see(each, channel)), None)
            if document is not None:
                hits.append(Hit(document, chunk_from(row), _vector(rows, self._column, place) if vectors else None))
        return hits

    def _vector_columns(self, table: "Table") -> list[str]:
        return [self._column] if self._column in table.schema.names else []

    def _lacks_vectors(self, table: "Table") -> bool:
        if not self._vector_columns(table):
            return table.count_rows() > 0
        return table.count_rows(f"{self._column} IS NULL") > 0

    def _table(self) -> "Table | None":
        """None while nothing was ever put."""
        with self._opening:
            if self._opened is None:
                database = connect(self._url, self._options)
                if TABLE not in database.list_tables().tables:
                    return None
                try:
                    self._opened = database.open_table(TABLE)
                except ValueError as error:
                    if "not found" not in str(error):
                        raise
                    return None  # its folder comes before its first version: somebody is making it
            return self._opened

    def _writable(self, dimension: int) -> "Table":
        """The table, with a column for our vectors."""
        table = self._table()
        if table is None:
            database = connect(self._url, self._options)
            with maybe_outrun():
                database.create_table(TABLE, schema=schema(self._column, dimension), exist_ok=True)
            table = self._opened = database.open_table(TABLE)
        if not self._vector_columns(table):
            with maybe_outrun():
                table.add_columns(vector_field(self._column, dimension))
        kept = table.schema.field(self._column).type.list_size
        if kept != dimension:
            raise Unavailable(SERVICE, f"the embedding gives {dimension} numbers a text where it gave {kept} before")
        return table


def _vector(rows: "pa.Table", column: str, place: int) -> "np.ndarray | None":
    scalar = rows[column][place]
    if not scalar.is_valid:
        return None
    vector: np.ndarray = scalar.values.to_numpy(zero_copy_only=False)
    return vector


def _settled(groups: Sequence[Group], entries: Sequence[Entry]) -> bool:
    """Whether each document is in one group, that of its content, which was written once."""
    for entry in entries:
        holding = [group for group in groups if any(each.id == entry.document.id for each in group.documents)]
        if [group.content for group in holding] != [entry.document.sha256] or len(holding[0].writes) != 1:
            return False
        if entry.document not in holding[0].documents:
            return False
    return True


def _is_indexed(table: "Table", column: str) -> bool:
    return any(column in index.columns for index in table.list_indices())


def _index_words(table: "Table") -> None:
    from lancedb.index import FTS

    table.create_index(
        "words",
        config=FTS(
            base_tokenizer="simple", language="English", stem=True, remove_stop_words=True, ascii_folding=True,
            lower_case=True, with_position=False, custom_stop_words=sorted(STOP_WORDS),
        ),
    )  # fmt: skip


def _text(value: str) -> str:
    return "'" + value.replace("\x00", "").replace("'", "''") + "'"


def _listed(values: Sequence[str]) -> str:
    return ", ".join(_text(value) for value in values)


def _among(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({_listed(values)})"
