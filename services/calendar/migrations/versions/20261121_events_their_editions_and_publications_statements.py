"""events, their editions and publications, statements

Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared import jobs, search

revision = "af0cd682bb93"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in [*search.configurations(), *jobs.schema_statements()]:
        op.execute(statement)
    op.execute(sa.schema.CreateSequence(sa.Sequence("calendar_reference")))
    op.create_table(
        "events",
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suggester_email", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("source", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("precision", sa.Text(), nullable=True),
        sa.Column("series", sa.Text(), nullable=True),
        sa.Column("one_voice", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("principles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("leads", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.CheckConstraint("public = (status IN ('cancelled', 'published'))", name="public_by_status"),
        sa.CheckConstraint(
            "status IN ('suggested', 'published', 'declined', 'cancelled', 'withdrawn')", name="status_known"
        ),
        sa.CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        sa.CheckConstraint("NOT public OR first_day IS NOT NULL", name="public_has_dates"),
        sa.CheckConstraint("first_day <= last_day", name="ends_after_start"),
        sa.CheckConstraint("public = (version > 0)", name="public_has_publication"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("events_created_by", "events", ["created_by", "updated_at", "id"], unique=False)
    op.create_index(
        "events_suggested", "events", ["first_day"], unique=False, postgresql_where=sa.text("status = 'suggested'")
    )
    op.create_index("events_updated", "events", ["updated_at", "id"], unique=False)
    op.create_table(
        "focal_points",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("sub", "method", "path", "key"),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "reminders",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("days_before", sa.SmallInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "day", "days_before", "entity"),
    )
    op.create_table(
        "event_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["events.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_event_history_record_id"), "event_history", ["record_id"], unique=False)
    op.create_table(
        "event_publications",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("schema_version", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["events.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "number"),
    )
    op.create_table(
        "published_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("days", postgresql.DATERANGE(), nullable=False),
        sa.Column("starts_minute", sa.SmallInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("anniversary", sa.SmallInteger(), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.Column("excluded", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("occurrence", sa.LargeBinary(), nullable=False),
        sa.Column("ics", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("precision", sa.Text(), nullable=True),
        sa.Column("series", sa.Text(), nullable=True),
        sa.Column("one_voice", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("principles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("leads", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["events.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["superseded_by"],
            ["events.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(
        "published_events_alike",
        "published_events",
        ["title"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.create_index(
        "published_events_anniversary",
        "published_events",
        ["anniversary"],
        unique=False,
        postgresql_where=sa.text("anniversary IS NOT NULL"),
    )
    op.create_index(
        "published_events_days",
        "published_events",
        ["days"],
        unique=False,
        postgresql_using="gist",
        postgresql_where=sa.text("anniversary IS NULL"),
    )
    op.create_index(
        "published_events_first_day", "published_events", ["first_day", "starts_minute", "id"], unique=False
    )
    op.create_index("published_events_newest", "published_events", ["published_at", "id"], unique=False)
    op.create_index(
        "published_events_objectives", "published_events", ["objectives"], unique=False, postgresql_using="gin"
    )
    op.create_index("published_events_search", "published_events", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "published_events_series",
        "published_events",
        ["series"],
        unique=False,
        postgresql_where=sa.text("series IS NOT NULL"),
    )
    op.create_index("published_events_title", "published_events", ["title", "id"], unique=False)
    op.create_index("published_events_until", "published_events", ["until", "id"], unique=False)
    op.create_index("published_events_updated", "published_events", ["updated_at", "id"], unique=False)
    op.create_table(
        "statements",
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("drafters", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("resolved", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("principles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("leads", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("source", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("public = (status = 'issued')", name="public_when_issued"),
        sa.CheckConstraint(
            "status IN ('planned', 'drafting', 'in_clearance', 'issued', 'dropped')", name="status_known"
        ),
        sa.CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        sa.CheckConstraint("public = (version > 0)", name="public_has_publication"),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(
        "statements_due",
        "statements",
        ["due_on", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('drafting', 'in_clearance', 'planned')"),
    )
    op.create_index("statements_event", "statements", ["event_id"], unique=False)
    op.create_index(
        "statements_issued", "statements", ["published_at", "id"], unique=False, postgresql_where=sa.text("public")
    )
    op.create_index("statements_updated", "statements", ["updated_at", "id"], unique=False)
    op.create_table(
        "statement_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["statements.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_statement_history_record_id"), "statement_history", ["record_id"], unique=False)
    op.create_table(
        "statement_publications",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("schema_version", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["statements.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "number"),
    )


def downgrade() -> None:
    op.drop_table("statement_publications")
    op.drop_index(op.f("ix_statement_history_record_id"), table_name="statement_history")
    op.drop_table("statement_history")
    op.drop_index("statements_updated", table_name="statements")
    op.drop_index("statements_issued", table_name="statements", postgresql_where=sa.text("public"))
    op.drop_index("statements_event", table_name="statements")
    op.drop_index(
        "statements_due",
        table_name="statements",
        postgresql_where=sa.text("status IN ('drafting', 'in_clearance', 'planned')"),
    )
    op.drop_table("statements")
    op.drop_index("published_events_updated", table_name="published_events")
    op.drop_index("published_events_until", table_name="published_events")
    op.drop_index("published_events_title", table_name="published_events")
    op.drop_index(
        "published_events_series", table_name="published_events", postgresql_where=sa.text("series IS NOT NULL")
    )
    op.drop_index("published_events_search", table_name="published_events", postgresql_using="gin")
    op.drop_index("published_events_objectives", table_name="published_events", postgresql_using="gin")
    op.drop_index("published_events_newest", table_name="published_events")
    op.drop_index("published_events_first_day", table_name="published_events")
    op.drop_index(
        "published_events_days",
        table_name="published_events",
        postgresql_using="gist",
        postgresql_where=sa.text("anniversary IS NULL"),
    )
    op.drop_index(
        "published_events_anniversary",
        table_name="published_events",
        postgresql_where=sa.text("anniversary IS NOT NULL"),
    )
    op.drop_index(
        "published_events_alike",
        table_name="published_events",
        postgresql_using="gin",
        postgresql_ops={"title": "gin_trgm_ops"},
    )
    op.drop_table("published_events")
    op.drop_table("event_publications")
    op.drop_index(op.f("ix_event_history_record_id"), table_name="event_history")
    op.drop_table("event_history")
    op.drop_table("reminders")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("focal_points")
    op.drop_index("events_updated", table_name="events")
    op.drop_index("events_suggested", table_name="events", postgresql_where=sa.text("status = 'suggested'"))
    op.drop_index("events_created_by", table_name="events")
    op.drop_table("events")
    op.execute(sa.schema.DropSequence(sa.Sequence("calendar_reference")))
    for statement in [*jobs.drop_statements(), *search.drop_configurations()]:
        op.execute(statement)
