"""The tables of the bot's memory. Values lie as JSON in `body`; columns beside it are what is searched by."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.schema import CreateSchema

from pipelines.errors import Refused

# Raised when a table is added: the next start makes it. A changed table needs a migration of its own.
SCHEMA_VERSION = 3
# On Postgres our tables have a schema of their own, so that one database serves the bot, its engine and MLflow.
POSTGRES_SCHEMA = "shipmate"

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

approvals = Table(
    "approvals", metadata,
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("settled_at", Float),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("approvals_by_state", "state", "opened_at"),
    Index("approvals_by_settlement", "settled_at"),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),  # ISO 8601 as it was hashed
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous_hash", String, nullable=False),
    Column("hash", String, nullable=False),
)  # fmt: skip

retrains = Table(
    "retrains", metadata,
    Column("number", Integer, primary_key=True),
    Column("run_id", String, nullable=False, unique=True),
    Column("model", String, nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip
unfinished = retrains.c.finished == false()
Index("one_unfinished_run_a_model", retrains.c.model, unique=True, sqlite_where=unfinished, postgresql_where=unfinished)

places = Table(
    "places", metadata,
    Column("run_id", String, primary_key=True),
    Column("channel", String, nullable=False),
    Column("ts", String, nullable=False),
)  # fmt: skip

cancels = Table(
    "cancels", metadata,
    Column("run_id", String, primary_key=True),
    Column("person_name", Text, nullable=False),
)  # fmt: skip

deliveries = Table(
    "deliveries", metadata,
    Column("key", String, primary_key=True),
    Column("expires_at", Float, nullable=False, index=True),
)  # fmt: skip

postings = Table(
    "postings", metadata,
    Column("key", String, primary_key=True),
    Column("intended_at", Float, nullable=False),
    Column("channel", String, nullable=False),
    Column("place_channel", String),
    Column("place_ts", String),
)  # fmt: skip

questions = Table(
    "questions", metadata,
    Column("id", String, primary_key=True),
    Column("asked_at", Float, nullable=False),
    Column("channel", String, nullable=False),
    Column("thread", String, nullable=False),
    Column("state", String, nullable=False),
    Column("body", Text, nullable=False),
    Index("questions_by_thread", "channel", "thread", "asked_at"),
    Index("questions_by_state", "state", "asked_at"),
)  # fmt: skip

question_feedback = Table(
    "question_feedback", metadata,
    Column("question_id", String, primary_key=True),
    Column("person_id", String, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("body", Text, nullable=False),
)  # fmt: skip

ingests = Table(
    "ingests", metadata,
    Column("id", String, primary_key=True),
    Column("body", Text, nullable=False),
)  # fmt: skip

# What counts against the day's budget: what was spent, and what running calls may yet spend.
model_days = Table(
    "model_days", metadata,
    Column("day", String, primary_key=True),  # ISO 8601, UTC
    Column("tokens", BigInteger, nullable=False),
    Column("cost_dollars", Float, nullable=False),
)  # fmt: skip

model_usage = Table(
    "model_usage", metadata,
    Column("day", String, primary_key=True),
    Column("feature", String, primary_key=True),
    Column("provider", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost_dollars", Float, nullable=False),
    Column("seconds", Float, nullable=False),
)  # fmt: skip

digest_subscriptions = Table(
    "digest_subscriptions", metadata,
    Column("channel", String, primary_key=True),
    Column("body", Text, nullable=False),
)  # fmt: skip

digest_marks = Table(
    "digest_marks", metadata,
    Column("channel", String, primary_key=True),
    Column("rhythm", Text, nullable=False),
    Column("behind", Float, nullable=False),
    Column("told_until", Float, nullable=False),
)  # fmt: skip

drift_tallies = Table(
    "drift_tallies", metadata,
    Column("model", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("hour", Float, primary_key=True),
    Column("batch", String, primary_key=True),
    Column("body", Text, nullable=False),
    Index("drift_tallies_by_hour", "model", "hour"),
)  # fmt: skip

drift_outcomes = Table(
    "drift_outcomes", metadata,
    Column("model", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("version", String),
    Column("hour", Float, nullable=False),
    Column("prediction", Text),
    Column("label", Text),
    Column("settled", Boolean, nullable=False),
    Index("drift_outcomes_by_hour", "model", "hour"),
)  # fmt: skip

triage_reports = Table(
    "triage_reports", metadata,
    Column("key", String, primary_key=True),
    Column("repository", String, nullable=False),  # in lower case, as GitHub compares it
    Column("workflow", String, nullable=False),
    Column("branch", String, nullable=False),
    Column("sha", String, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("run_number", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("pull_request", BigInteger, nullable=False),
    Column("channel", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("sameness", String, nullable=False),
    Column("on_default_branch", Boolean, nullable=False),
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("at", Float, nullable=False, index=True),
    Column("lead", String, nullable=False, index=True),
    Column("place_channel", String),
    Column("place_ts", String),
    Column("storm_ts", String),  # of the message in whose thread it stands; NULL for one with a thread of its own
    Column("unchanged", Boolean),  # how it passed: of the same commit; NULL while it did not
    Column("passed", Text),
    Column("body", Text, nullable=False),
    Index("triage_reports_by_fingerprint", "repository", "fingerprint", "at"),
    Index("triage_reports_by_workflow", "repository", "workflow", "branch", "at"),
    Index("triage_reports_by_pull_request", "repository", "pull_request"),
    Index("triage_reports_by_channel", "channel", "at"),
)  # fmt: skip

triage_marks = Table(
    "triage_marks", metadata,
    Column("key", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("words", Text, nullable=False),
)  # fmt: skip

triage_greens = Table(
    "triage_greens", metadata,
    Column("repository", String, primary_key=True),
    Column("run_id", BigInteger, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("workflow", String, nullable=False),
    Column("branch", String, nullable=False),
    Column("sha", String, nullable=False),
    Column("run_number", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("at", Float, nullable=False, index=True),
    Index("triage_greens_by_workflow", "repository", "workflow", "at"),
)  # fmt: skip

# What was last said at a place, and who is about to say something there.
triage_spoken = Table(
    "triage_spoken", metadata,
    Column("place", String, primary_key=True),
    Column("state", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("holder", String, nullable=False),
    Column("held_until", Float, nullable=False),
)  # fmt: skip

promotions = Table(
    "promotions", metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("model", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("channel", String),
    Column("ts", String),
    Column("body", Text, nullable=False),
)  # fmt: skip
waiting_promotion = promotions.c.finished == false()
Index(
    "one_unfinished_promotion_a_model", promotions.c.model, promotions.c.kind, unique=True,
    sqlite_where=waiting_promotion, postgresql_where=waiting_promotion,
)  # fmt: skip

drift_episodes = Table(
    "drift_episodes", metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("model", String, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip
not_ended = drift_episodes.c.ended == false()
Index(
    "one_open_episode_a_model", drift_episodes.c.model, unique=True, sqlite_where=not_ended, postgresql_where=not_ended
)


# What Alertmanager told: one row a state of a group of alerts.
alert_notifications = Table(
    "alert_notifications", metadata,
    Column("key", String, primary_key=True),
    Column("received_at", Float, nullable=False, index=True),
    Column("group_key", Text, nullable=False),
    Column("firing", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

# What serving calls the versions of a model, where that is not the registry's number.
served_versions = Table(
    "served_versions", metadata,
    Column("model", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", String, nullable=False),
    Column("how", String, nullable=False),
    Column("seen_at", Float, nullable=False),
)  # fmt: skip

# How far each file of inference records and labels was read.
record_files = Table(
    "record_files", metadata,
    Column("model", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("uri", String, primary_key=True),
    Column("body", Text, nullable=False),
)  # fmt: skip

# What each look at a model found, in figures.
drift_looks = Table(
    "drift_looks", metadata,
    Column("model", String, primary_key=True),
    Column("at", Float, primary_key=True),
    Column("body", Text, nullable=False),
    Index("drift_looks_by_time", "at"),
)  # fmt: skip

# What people have done with a failed run: re-runs that wait for a yes, go on or have ended.
triage_reruns = Table(
    "triage_reruns", metadata,
    Column("id", String, primary_key=True),
    Column("finished", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

# A sample of what models were asked, for trying whether retraining would help: `rank` says who stays.
drift_rows = Table(
    "drift_rows", metadata,
    Column("model", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("version", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("rank", Float, nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("drift_rows_by_rank", "model", "rank", "size"),
)  # fmt: skip

# Requests and responses of inference that wait for their other half, whichever process it comes to.
drift_halves = Table(
    "drift_halves", metadata,
    Column("model", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("is_request", Boolean, nullable=False),
    Column("at", String, nullable=False),  # ISO 8601, any year that a sender may name
    Column("received", Float, nullable=False, index=True),
    Column("body", Text, nullable=False),
)  # fmt: skip

_ONLY_APPENDED = "the audit trail is only ever appended to"
_SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb.upper()} ON audit "
    f"BEGIN SELECT RAISE(ABORT, '{_ONLY_APPENDED}'); END"
    for verb in ("update", "delete")
)
_POSTGRES_GUARDS = (
    f"CREATE OR REPLACE FUNCTION {POSTGRES_SCHEMA}.audit_is_appended_to() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_ONLY_APPENDED}'; END $$",
    f"CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {POSTGRES_SCHEMA}.audit "
    f"FOR EACH ROW EXECUTE FUNCTION {POSTGRES_SCHEMA}.audit_is_appended_to()",
    f"CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {POSTGRES_SCHEMA}.audit "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {POSTGRES_SCHEMA}.audit_is_appended_to()",
)


def create_tables(connection: Connection) -> None:
    """Make what is missing, inside the caller's write transaction. Raises Refused for a newer database."""
    on_postgres = connection.dialect.name == "postgresql"
    schema = POSTGRES_SCHEMA if on_postgres else None
    if inspect(connection).has_table(schema_version.name, schema=schema) and not _older(connection):
        return
    if on_postgres:
        connection.execute(CreateSchema(POSTGRES_SCHEMA, if_not_exists=True))
    metadata.create_all(connection)
    for guard in _POSTGRES_GUARDS if on_postgres else _SQLITE_GUARDS:
        connection.execute(text(guard))
    connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))


def _older(connection: Connection) -> bool:
    stored = connection.execute(select(func.max(schema_version.c.version))).scalar_one()
    if stored > SCHEMA_VERSION:
        raise Refused(
            f"The bot's database was written by a newer Shipmate (schema {stored}, this one knows {SCHEMA_VERSION}). "
            "Start the newer version, or point SHIPMATE_DATABASE_URL at another database."
        )
    return bool(stored < SCHEMA_VERSION)
