"""pledges, their history, publications and progress

Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared import jobs, search

revision = "90353dbad057"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in [*search.configurations(), *jobs.schema_statements()]:
        op.execute(statement)
    op.execute(sa.schema.CreateSequence(sa.Sequence("pledge_reference")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("published_pledge_ordinal", minvalue=0, start=0)))
    op.create_table(
        "files",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
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
        "pledge_imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed')", name="import_status_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_pledge_imports_created_at"), "pledge_imports", ["created_at"], unique=False)
    op.create_table(
        "pledges",
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("confirmed", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
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
        sa.Column("approach", sa.Text(), nullable=True),
        sa.Column("entity_type", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("implementation_status", sa.Text(), nullable=True),
        sa.Column("forms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("principles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.CheckConstraint("status <> 'published' OR public", name="published_is_public"),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'returned', 'published', 'revising', 'declined', 'withdrawn')",
            name="status_known",
        ),
        sa.CheckConstraint(
            "status NOT IN ('draft', 'declined', 'withdrawn') OR NOT public", name="hidden_is_not_public"
        ),
        sa.CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        sa.CheckConstraint("NOT public OR version > 0", name="public_has_publication"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("pledges_owner", "pledges", ["owner", "updated_at", "id"], unique=False)
    op.create_index("pledges_updated", "pledges", ["updated_at", "id"], unique=False)
    op.create_table(
        "published_changes",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "attachments",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["files.digest"],
        ),
        sa.ForeignKeyConstraint(["record_id"], ["pledges.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "number"),
    )
    op.create_index(op.f("ix_attachments_digest"), "attachments", ["digest"], unique=False)
    op.create_table(
        "file_chunks",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["files.digest"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", "number"),
    )
    op.create_table(
        "pledge_history",
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
        sa.ForeignKeyConstraint(["record_id"], ["pledges.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_pledge_history_record_id"), "pledge_history", ["record_id"], unique=False)
    op.create_table(
        "pledge_import_chunks",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["pledge_imports.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("import_id", "number"),
    )
    op.create_table(
        "pledge_import_rows",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("gaps", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("staged", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("pledge_id", sa.Uuid(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.CheckConstraint("outcome IN ('ready', 'created', 'known', 'faulty')", name="import_outcome_known"),
        sa.ForeignKeyConstraint(["import_id"], ["pledge_imports.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("import_id", "number"),
    )
    op.create_table(
        "pledge_publications",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("schema_version", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["pledges.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "number"),
    )
    op.create_index(
        "pledge_publications_matches",
        "pledge_publications",
        [sa.literal_column("(content ->> 'matches')")],
        unique=False,
        postgresql_where=sa.text("content ? 'matches'"),
    )
    op.create_table(
        "progress_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("implementation_status", sa.Text(), nullable=False),
        sa.Column("reported_on", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("corrects", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "implementation_status IN ('planned', 'in_progress', 'fulfilled', 'discontinued')",
            name="implementation_known",
        ),
        sa.ForeignKeyConstraint(
            ["corrects"],
            ["progress_reports.id"],
        ),
        sa.ForeignKeyConstraint(["record_id"], ["pledges.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("corrects"),
    )
    op.create_index(op.f("ix_progress_reports_record_id"), "progress_reports", ["record_id"], unique=False)
    op.create_table(
        "published_pledges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fresh_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ordinal", sa.Integer(), server_default=sa.text("nextval('published_pledge_ordinal')"), nullable=False
        ),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("approach", sa.Text(), nullable=True),
        sa.Column("entity_type", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("implementation_status", sa.Text(), nullable=True),
        sa.Column("forms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("principles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["pledges.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ordinal"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(
        "published_pledges_countries", "published_pledges", ["countries"], unique=False, postgresql_using="gin"
    )
    op.create_index("published_pledges_newest", "published_pledges", ["published_at", "id"], unique=False)
    op.create_index(
        "published_pledges_objectives", "published_pledges", ["objectives"], unique=False, postgresql_using="gin"
    )
    op.create_index("published_pledges_search", "published_pledges", ["search"], unique=False, postgresql_using="gin")
    op.create_index("published_pledges_title", "published_pledges", ["title", "id"], unique=False)
    op.create_index("published_pledges_updated", "published_pledges", ["updated_at", "id"], unique=False)
    op.create_table(
        "support_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status <> 'open') = (assignee IS NOT NULL) OR status = 'closed'", name="assigned_to_somebody"
        ),
        sa.CheckConstraint("(status = 'answered') <= (answer IS NOT NULL)", name="answered_with_an_answer"),
        sa.CheckConstraint("status IN ('open', 'assigned', 'answered', 'closed')", name="support_status_known"),
        sa.ForeignKeyConstraint(["record_id"], ["pledges.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_support_requests_record_id"), "support_requests", ["record_id"], unique=False)
    op.create_index("support_requests_newest", "support_requests", ["created_at", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("support_requests_newest", table_name="support_requests")
    op.drop_index(op.f("ix_support_requests_record_id"), table_name="support_requests")
    op.drop_table("support_requests")
    op.drop_index("published_pledges_updated", table_name="published_pledges")
    op.drop_index("published_pledges_title", table_name="published_pledges")
    op.drop_index("published_pledges_search", table_name="published_pledges", postgresql_using="gin")
    op.drop_index("published_pledges_objectives", table_name="published_pledges", postgresql_using="gin")
    op.drop_index("published_pledges_newest", table_name="published_pledges")
    op.drop_index("published_pledges_countries", table_name="published_pledges", postgresql_using="gin")
    op.drop_table("published_pledges")
    op.drop_index(op.f("ix_progress_reports_record_id"), table_name="progress_reports")
    op.drop_table("progress_reports")
    op.drop_index(
        "pledge_publications_matches", table_name="pledge_publications", postgresql_where=sa.text("content ? 'matches'")
    )
    op.drop_table("pledge_publications")
    op.drop_table("pledge_import_rows")
    op.drop_table("pledge_import_chunks")
    op.drop_index(op.f("ix_pledge_history_record_id"), table_name="pledge_history")
    op.drop_table("pledge_history")
    op.drop_table("file_chunks")
    op.drop_index(op.f("ix_attachments_digest"), table_name="attachments")
    op.drop_table("attachments")
    op.drop_table("published_changes")
    op.drop_index("pledges_updated", table_name="pledges")
    op.drop_index("pledges_owner", table_name="pledges")
    op.drop_table("pledges")
    op.drop_index(op.f("ix_pledge_imports_created_at"), table_name="pledge_imports")
    op.drop_table("pledge_imports")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("files")
    op.execute(sa.schema.DropSequence(sa.Sequence("published_pledge_ordinal")))
    op.execute(sa.schema.DropSequence(sa.Sequence("pledge_reference")))
    for statement in [*jobs.drop_statements(), *search.drop_configurations()]:
        op.execute(statement)
