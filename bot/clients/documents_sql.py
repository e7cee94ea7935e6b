"""The SQL of the knowledge index in Postgres."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# `counts` holds how often each stem occurs in a chunk, for BM25: Postgres' own ts_rank knows nothing of rare words.
SCHEMA = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA IF NOT EXISTS shipmate_knowledge;
SET LOCAL search_path TO shipmate_knowledge, public;
CREATE TABLE IF NOT EXISTS documents (
    id text PRIMARY KEY, sha256 text NOT NULL, title text NOT NULL, source text NOT NULL, kind text NOT NULL,
    added_at timestamptz NOT NULL, added_by text NOT NULL, channels text[] NOT NULL, url text NOT NULL,
    words integer NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_content ON documents (sha256);
CREATE TABLE IF NOT EXISTS chunks (
    sha256 text NOT NULL, number integer NOT NULL, headings text[] NOT NULL, text text NOT NULL,
    first_line integer NOT NULL, last_line integer NOT NULL, words tsvector NOT NULL, length integer NOT NULL,
    PRIMARY KEY (sha256, number)
);
CREATE INDEX IF NOT EXISTS chunks_by_word ON chunks USING gin (words);
CREATE TABLE IF NOT EXISTS vectors (
    embedding text NOT NULL, sha256 text NOT NULL, number integer NOT NULL, vector vector NOT NULL,
    PRIMARY KEY (embedding, sha256, number),
    FOREIGN KEY (sha256, number) REFERENCES chunks ON DELETE CASCADE
);
"""

ADDED = """to_tsvector('english', %s),
    (SELECT coalesce(sum(cardinality(positions)), 0) FROM unnest(to_tsvector('english', %s)))"""

DOCUMENT = "SELECT id, sha256, title, source, kind, added_at, added_by, channels, url, words FROM documents"

# Of several documents of one content, the first that the channel may see.
_SEEN = """
JOIN LATERAL (
    SELECT id, sha256, title, source, kind, added_at, added_by, channels, url, words FROM documents
    WHERE documents.sha256 = c.sha256 AND (channels = '{}' OR %(channel)s::text = ANY (channels))
    ORDER BY added_at, id LIMIT 1
) d ON true
"""

NEAREST = f"""
SELECT c.number, c.headings, c.text, c.first_line, c.last_line, v.vector::text, d.*
FROM vectors v JOIN chunks c USING (sha256, number) {_SEEN}
WHERE v.embedding = %(embedding)s
ORDER BY v.vector::vector($width) <=> %(vector)s::vector($width) LIMIT %(limit)s
"""  # noqa: S608

VECTOR_INDEX = """
CREATE INDEX IF NOT EXISTS "vectors_$embedding" ON vectors USING hnsw ((vector::vector($width)) vector_cosine_ops)
WHERE embedding = '$embedding'
"""

# BM25 (Robertson and Zaragoza 2009) with k1 = 1.2 and b = 0.75. A word that the question repeats counts more.
CANDIDATES = f"""
WITH asked AS (
    SELECT lexeme, cardinality(positions) AS times, quote_literal(lexeme)::tsquery AS query
    FROM unnest(to_tsvector('english', %(words)s))
), whole AS (
    SELECT count(*)::float8 AS chunks, greatest(avg(length), 1)::float8 AS length FROM chunks
), found AS (
    SELECT c.sha256, c.number, c.length, a.lexeme, a.times,
           (SELECT cardinality(u.positions) FROM unnest(c.words) u WHERE u.lexeme = a.lexeme) AS frequency,
           count(*) OVER (PARTITION BY a.lexeme) AS holding
    FROM asked a JOIN chunks c ON c.words @@ a.query
), scored AS (
    SELECT f.sha256, f.number, sum(
        f.times * ln(1 + (w.chunks - f.holding + 0.5) / (f.holding + 0.5))
        * f.frequency * 2.2 / (f.frequency + 1.2 * (0.25 + 0.75 * f.length / w.length))
    ) AS score
    FROM found f, whole w GROUP BY f.sha256, f.number
)
SELECT c.number, c.headings, c.text, c.first_line, c.last_line, v.vector::text, d.*
FROM scored s JOIN chunks c USING (sha256, number) {_SEEN}
LEFT JOIN vectors v ON v.sha256 = c.sha256 AND v.number = c.number AND v.embedding = %(embedding)s
ORDER BY s.score DESC, c.sha256, c.number LIMIT %(limit)s
"""  # noqa: S608


def vector_text(vector: "np.ndarray") -> str:
    """As pgvector reads it."""
    return "[" + ",".join(map(repr, vector.tolist())) + "]"
