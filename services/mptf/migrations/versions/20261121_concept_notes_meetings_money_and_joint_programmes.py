"""Concept notes, meetings, money and joint programmes

Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared import jobs, search

revision = "97a425a58320"
down_revision = None
branch_labels = None
depends_on = None


# Whoever writes a transfer, the line counts it: with its CHECK no path leads above what was approved.
COUNT_TRANSFERS = """
    CREATE FUNCTION count_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            UPDATE approved_lines SET transferred = transferred - OLD.amount
            WHERE record_id = OLD.record_id AND organisation = OLD.organisation;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            UPDATE approved_lines SET transferred = transferred + NEW.amount
            WHERE record_id = NEW.record_id AND organisation = NEW.organisation;
        END IF;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    for statement in [*search.configurations(), *jobs.schema_statements()]:
        op.execute(statement)
    op.execute(sa.schema.CreateSequence(sa.Sequence("concept_note_reference")))
    op.create_table(
        "contributions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("donor", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("contributed_on", sa.Text(), nullable=True),
        sa.Column("thematic_areas", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("source", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(amount IS NULL) = (currency IS NULL)", name="amount_with_its_currency"),
        sa.CheckConstraint("amount > 0", name="contribution_is_positive"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
    )
    op.create_index("contributions_by_creation", "contributions", ["created_at", "id"], unique=False)
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
        "meetings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reminded_for", sa.Date(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('planned', 'held', 'cancelled')", name="meeting_status_known"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "date", name="meetings_id_date"),
    )
    op.create_index("meetings_by_date", "meetings", ["date", "id"], unique=False)
    op.create_table(
        "concept_notes",
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("participants", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_for", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("counted_from", sa.Date(), nullable=True),
        sa.Column("counted_before", sa.Date(), nullable=True),
        sa.Column("deferred_after", sa.Date(), nullable=True),
        sa.Column("meeting_id", sa.Uuid(), nullable=True),
        sa.Column("meeting_on", sa.Date(), nullable=True),
        sa.Column("assessment", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
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
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("thematic_area", sa.SmallInteger(), nullable=True),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("sdgs", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("organisations", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("amounts", postgresql.ARRAY(sa.Numeric(precision=20, scale=4)), nullable=False),
        sa.Column("budget", sa.Numeric(precision=20, scale=4), nullable=True),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.CheckConstraint(
            "NOT (status IN ('submitted', 'screening', 'eligible')) OR counted_from IS NOT NULL",
            name="waiting_counts_from_a_day",
        ),
        sa.CheckConstraint(
            "public = (status IN ('selected', 'in_development', 'document_submitted', 'approved', 'funded', "
            "'active', 'operationally_closed', 'financially_closed', 'cancelled'))",
            name="public_from_selection_on",
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'returned', 'screening', 'eligible', 'not_eligible', "
            "'selected', 'not_selected', 'in_development', 'document_submitted', 'approved', 'funded', "
            "'active', 'operationally_closed', 'financially_closed', 'withdrawn', 'cancelled')",
            name="status_known",
        ),
        sa.CheckConstraint("(meeting_id IS NULL) = (meeting_on IS NULL)", name="meeting_with_its_date"),
        sa.CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        sa.CheckConstraint("NOT public OR version > 0", name="public_has_publication"),
        sa.ForeignKeyConstraint(["meeting_id", "meeting_on"], ["meetings.id", "meetings.date"], onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("concept_notes_countries", "concept_notes", ["countries"], unique=False, postgresql_using="gin")
    op.create_index("concept_notes_meeting", "concept_notes", ["meeting_id"], unique=False)
    op.create_index("concept_notes_owner", "concept_notes", ["owner", "updated_at", "id"], unique=False)
    op.create_index(
        "concept_notes_participants", "concept_notes", ["participants"], unique=False, postgresql_using="gin"
    )
    op.create_index("concept_notes_updated", "concept_notes", ["updated_at", "id"], unique=False)
    op.create_table(
        "minutes",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("present", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("present >= 0 AND needed >= 0", name="quorum_counts_people"),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["meetings.id"],
        ),
        sa.PrimaryKeyConstraint("meeting_id", "number"),
    )
    op.create_table(
        "approved_lines",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("approved", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("transferred", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.CheckConstraint("approved >= 0", name="approved_is_no_debt"),
        sa.CheckConstraint("transferred BETWEEN 0 AND approved", name="never_more_than_approved"),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["concept_notes.id"],
        ),
        sa.PrimaryKeyConstraint("record_id", "organisation"),
    )
    op.create_table(
        "concept_note_history",
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
        sa.ForeignKeyConstraint(["record_id"], ["concept_notes.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_concept_note_history_record_id"), "concept_note_history", ["record_id"], unique=False)
    op.create_table(
        "concept_note_publications",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("schema_version", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["concept_notes.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "number"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=True),
        sa.Column("reconsiders", sa.Uuid(), nullable=True),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(decision = 'reconsider') = (reconsiders IS NOT NULL)", name="reconsiders_a_decision"),
        sa.CheckConstraint(
            "decision IN ('select', 'not_select', 'defer', 'reconsider', 'approve', 'cancel')", name="decision_known"
        ),
        sa.CheckConstraint(
            "decision NOT IN ('select', 'not_select', 'defer') OR (meeting_id IS NOT NULL AND rationale IS NOT NULL)",
            name="taken_at_a_meeting_for_a_reason",
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["meetings.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reconsiders"],
            ["decisions.id"],
        ),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["concept_notes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reconsiders"),
    )
    op.create_index(op.f("ix_decisions_meeting_id"), "decisions", ["meeting_id"], unique=False)
    op.create_index(op.f("ix_decisions_record_id"), "decisions", ["record_id"], unique=False)
    op.create_table(
        "endorsements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("ended_by IN ('withdrawal', 'change')", name="ended_by_known"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_with_its_cause"),
        sa.ForeignKeyConstraint(["record_id"], ["concept_notes.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "endorsements_one_standing",
        "endorsements",
        ["record_id", "country"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_endorsements_record_id"), "endorsements", ["record_id"], unique=False)
    op.create_table(
        "programmes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("thematic_area", sa.SmallInteger(), nullable=True),
        sa.Column("objectives", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("sdgs", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("organisations", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("amounts", postgresql.ARRAY(sa.Numeric(precision=20, scale=4)), nullable=False),
        sa.Column("budget", sa.Numeric(precision=20, scale=4), nullable=True),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["concept_notes.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("programmes_newest", "programmes", ["published_at", "id"], unique=False)
    op.create_index("programmes_search", "programmes", ["search"], unique=False, postgresql_using="gin")
    op.create_index("programmes_title", "programmes", ["title", "id"], unique=False)
    op.create_index("programmes_updated", "programmes", ["updated_at", "id"], unique=False)
    op.create_table(
        "transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("transferred_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name="transfer_moves_money"),
        sa.ForeignKeyConstraint(
            ["record_id", "organisation"],
            ["approved_lines.record_id", "approved_lines.organisation"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("transfers_of_a_line", "transfers", ["record_id", "organisation"], unique=False)
    op.execute(COUNT_TRANSFERS)
    op.execute(
        "CREATE TRIGGER transfers_counted AFTER INSERT OR UPDATE OR DELETE ON transfers "
        "FOR EACH ROW EXECUTE FUNCTION count_transfers()"
    )


def downgrade() -> None:
    op.drop_index("transfers_of_a_line", table_name="transfers")
    op.drop_table("transfers")
    op.execute("DROP FUNCTION count_transfers")
    op.drop_index("programmes_updated", table_name="programmes")
    op.drop_index("programmes_title", table_name="programmes")
    op.drop_index("programmes_search", table_name="programmes", postgresql_using="gin")
    op.drop_index("programmes_newest", table_name="programmes")
    op.drop_table("programmes")
    op.drop_index(op.f("ix_endorsements_record_id"), table_name="endorsements")
    op.drop_index("endorsements_one_standing", table_name="endorsements", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("endorsements")
    op.drop_index(op.f("ix_decisions_record_id"), table_name="decisions")
    op.drop_index(op.f("ix_decisions_meeting_id"), table_name="decisions")
    op.drop_table("decisions")
    op.drop_table("concept_note_publications")
    op.drop_index(op.f("ix_concept_note_history_record_id"), table_name="concept_note_history")
    op.drop_table("concept_note_history")
    op.drop_table("approved_lines")
    op.drop_table("minutes")
    op.drop_index("concept_notes_updated", table_name="concept_notes")
    op.drop_index("concept_notes_participants", table_name="concept_notes", postgresql_using="gin")
    op.drop_index("concept_notes_owner", table_name="concept_notes")
    op.drop_index("concept_notes_meeting", table_name="concept_notes")
    op.drop_index("concept_notes_countries", table_name="concept_notes", postgresql_using="gin")
    op.drop_table("concept_notes")
    op.drop_index("meetings_by_date", table_name="meetings")
    op.drop_table("meetings")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("contributions_by_creation", table_name="contributions")
    op.drop_table("contributions")
    op.execute(sa.schema.DropSequence(sa.Sequence("concept_note_reference")))
    for statement in [*jobs.drop_statements(), *search.drop_configurations()]:
        op.execute(statement)
