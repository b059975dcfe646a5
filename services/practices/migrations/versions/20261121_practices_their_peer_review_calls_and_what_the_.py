"""Practices, their peer review, calls and what the public reads

Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared import jobs, search

revision = "48b79dc5505d"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in [*search.configurations(), *jobs.schema_statements()]:
        op.execute(statement)
    op.execute(sa.schema.CreateSequence(sa.Sequence("practice_reference")))
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("calls_deadline", "calls", ["deadline", "id"], unique=False)
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
        "practices",
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("peer_reviewed", sa.Boolean(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("decided_round", sa.Integer(), nullable=False),
        sa.Column("review_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("editorial", sa.Boolean(), nullable=False),
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
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("call", sa.Uuid(), nullable=True),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("principles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sdgs", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("entity_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("title_search", postgresql.TSVECTOR(), nullable=False),
        sa.Column("head", postgresql.TSVECTOR(), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.CheckConstraint("status <> 'published' OR public", name="published_is_public"),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'in_review', 'returned', 'published', 'revising', "
            "'declined', 'withdrawn')",
            name="status_known",
        ),
        sa.CheckConstraint(
            "status NOT IN ('draft', 'declined', 'withdrawn') OR NOT public", name="hidden_is_not_public"
        ),
        sa.CheckConstraint("status NOT IN ('submitted', 'in_review') OR round > 0", name="review_has_round"),
        sa.CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        sa.CheckConstraint("NOT public OR peer_reviewed IS TRUE OR source IS NOT NULL", name="public_is_reviewed"),
        sa.CheckConstraint("NOT public OR version > 0", name="public_has_publication"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("practices_owner", "practices", ["owner", "updated_at", "id"], unique=False)
    op.create_index("practices_status", "practices", ["status"], unique=False)
    op.create_index("practices_updated", "practices", ["updated_at", "id"], unique=False)
    op.create_table(
        "reviewers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('internal', 'external')", name="kind_known"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject"),
    )
    op.create_index("reviewers_name", "reviewers", ["name", "id"], unique=False)
    op.create_table("words", sa.Column("word", sa.Text(collation="C"), nullable=False), sa.PrimaryKeyConstraint("word"))
    op.create_index(
        "words_similar",
        "words",
        ["word"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    op.create_table(
        "assignments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("conflict", sa.Boolean(), nullable=True),
        sa.Column("conflict_comment", sa.Text(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("conflict IS NULL OR declared_at IS NOT NULL", name="declared_when"),
        sa.ForeignKeyConstraint(["practice_id"], ["practices.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["reviewer_id"],
            ["reviewers.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("practice_id", "round", "reviewer_id", name="assignments_once_a_round"),
    )
    op.create_index("assignments_reviewer", "assignments", ["reviewer_id", "id"], unique=False)
    op.create_table(
        "practice_history",
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
        sa.ForeignKeyConstraint(["record_id"], ["practices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_practice_history_record_id"), "practice_history", ["record_id"], unique=False)
    op.create_table(
        "practice_publications",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("peer_reviewed", sa.Boolean(), nullable=True),
        sa.Column("reviewed_translations", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("schema_version", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["practices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "number"),
    )
    op.create_table(
        "published_practices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("shelf", sa.BigInteger(), sa.Computed("ordinal / 2048", persisted=True), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("call", sa.Uuid(), nullable=True),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("principles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sdgs", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("entity_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("title_search", postgresql.TSVECTOR(), nullable=False),
        sa.Column("head", postgresql.TSVECTOR(), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["practices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(
        "published_practices_countries", "published_practices", ["countries"], unique=False, postgresql_using="gin"
    )
    op.create_index("published_practices_newest", "published_practices", ["published_at", "id"], unique=False)
    op.create_index(
        "published_practices_objectives", "published_practices", ["objectives"], unique=False, postgresql_using="gin"
    )
    op.create_index("published_practices_ordinal", "published_practices", ["ordinal"], unique=True)
    op.create_index(
        "published_practices_search",
        "published_practices",
        ["shelf", "title_search", "search"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index("published_practices_title", "published_practices", ["title", "id"], unique=False)
    op.create_index("published_practices_updated", "published_practices", ["updated_at", "id"], unique=False)
    op.create_table(
        "published_texts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("plain", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["published_practices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", "language"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recommendation", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("recommendation IN ('accept', 'revise', 'decline')", name="known"),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("assignment_id"),
    )


def downgrade() -> None:
    op.drop_table("reviews")
    op.drop_table("published_texts")
    op.drop_index("published_practices_updated", table_name="published_practices")
    op.drop_index("published_practices_title", table_name="published_practices")
    op.drop_index("published_practices_search", table_name="published_practices", postgresql_using="gin")
    op.drop_index("published_practices_ordinal", table_name="published_practices")
    op.drop_index("published_practices_objectives", table_name="published_practices", postgresql_using="gin")
    op.drop_index("published_practices_newest", table_name="published_practices")
    op.drop_index("published_practices_countries", table_name="published_practices", postgresql_using="gin")
    op.drop_table("published_practices")
    op.drop_table("practice_publications")
    op.drop_index(op.f("ix_practice_history_record_id"), table_name="practice_history")
    op.drop_table("practice_history")
    op.drop_index("assignments_reviewer", table_name="assignments")
    op.drop_table("assignments")
    op.drop_index("words_similar", table_name="words", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"})
    op.drop_table("words")
    op.drop_index("reviewers_name", table_name="reviewers")
    op.drop_table("reviewers")
    op.drop_index("practices_updated", table_name="practices")
    op.drop_index("practices_status", table_name="practices")
    op.drop_index("practices_owner", table_name="practices")
    op.drop_table("practices")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("calls_deadline", table_name="calls")
    op.drop_table("calls")
    op.execute(sa.schema.DropSequence(sa.Sequence("practice_reference")))
    for statement in [*jobs.drop_statements(), *search.drop_configurations()]:
        op.execute(statement)
