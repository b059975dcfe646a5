"""Who sits in a round, and what they judge."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.practices.roster.schemas import SeatedReviewer
from services.practices.rule import Outcome
from shared.languages import Language
from shared.schemas import Model

Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]


class NewPracticeAssignment(Model):
    reviewer_id: UUID


class ConflictDeclaration(Model):
    """Whether the reviewer has a conflict of interest; a reason is for the secretariat alone."""

    conflict: bool
    comment: Comment | None = None


class PracticeAssignment(Model):
    """A reviewer's place in a round; for the secretariat and the reviewer."""

    id: UUID
    practice_id: UUID
    round: int
    reviewer: SeatedReviewer
    status: Literal["assigned", "declared", "conflicted", "reported", "replaced"]
    conflict: bool | None = Field(description="Null until it is declared.")
    conflict_comment: str | None
    created_at: datetime
    declared_at: datetime | None
    reported_at: datetime | None
    due_on: date | None = Field(description="When the declaration or the review is late; null where none is awaited.")
    reminded_at: datetime | None
    replaced_at: datetime | None


class PracticeAssignments(Model):
    """All rounds, the newest first."""

    items: list[PracticeAssignment]
    next: None = None


class ReviewJudgement(Model):
    """One criterion, judged."""

    judgement: Literal["met", "partly", "not_met"]
    comment: Comment | None = None


class ReviewCriteria(Model):
    """The seven criteria of the repository."""

    implemented: ReviewJudgement
    relevant: ReviewJudgement
    coherent: ReviewJudgement = Field(description="With the ten guiding principles.")
    innovative: ReviewJudgement
    replicable: ReviewJudgement
    cross_cutting: ReviewJudgement
    timely: ReviewJudgement


class NewPracticeReview(Model):
    """A reviewer's judgement: one in a round."""

    criteria: ReviewCriteria
    recommendation: Outcome
    comment: Comment | None = None


class PracticeReview(Model):
    """A review: the owner reads what it says, the secretariat also who said it."""

    round: int
    criteria: ReviewCriteria
    comment: str | None
    id: UUID | None = Field(default=None, json_schema_extra={"x-private": True})
    assignment_id: UUID | None = Field(default=None, json_schema_extra={"x-private": True})
    reviewer: SeatedReviewer | None = Field(default=None, json_schema_extra={"x-private": True})
    recommendation: Outcome | None = Field(default=None, json_schema_extra={"x-private": True})
    counts: bool | None = Field(
        default=None,
        description="False where a conflict was declared, or the reviewer replaced.",
        json_schema_extra={"x-private": True},
    )
    created_at: datetime | None = Field(default=None, json_schema_extra={"x-private": True})


class PracticeReviews(Model):
    """Reviews of all rounds, the newest round first; within a round in no order that tells anything."""

    items: list[PracticeReview]
    next: None = None


class AwaitedReview(Model):
    """A practice that waits for the caller's declaration or review."""

    assignment_id: UUID
    practice_id: UUID
    reference: str
    title: str
    language: Language | None
    round: int
    waits_for: Literal["declaration", "start", "review"] = Field(
        description="`start`: the secretariat has not opened the review yet."
    )
    since: datetime
    due_on: date | None
    late: bool
