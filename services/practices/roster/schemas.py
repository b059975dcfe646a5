"""The roster as it is written and read, and those of it whom the platform proposes."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from services.practices.models import Reviewer as Entry
from services.practices.rule import Kind
from shared.languages import LanguageTag
from shared.lists import Paging
from shared.reference import CountryCode, ObjectiveNumber
from shared.schemas import Email, Line, Model, Slug, Unique, left_alone

Tags = Annotated[list[LanguageTag], Unique(), Field(max_length=20)]
Numbers = Annotated[list[ObjectiveNumber], Unique(), Field(max_length=23)]


class ReviewerEntry(Model):
    """A person of the roster, as the secretariat enters them."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        description="`sub` of the person's token: how they are known when they sign in."
    )
    name: Line
    email: Email
    kind: Kind = Field(description="`internal` of the United Nations, `external` from outside.")
    organisation: Line | None = None
    entity: Slug | None = Field(default=None, description="Practices of this entity are not theirs to review.")
    country: CountryCode | None = None
    languages: Annotated[Tags, Field(min_length=1)] = Field(description="Those they read.")
    objectives: Numbers = []
    active: bool = True


class ReviewerChanges(Model):
    """What changes of a roster entry; null removes a value that may be missing."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)] = left_alone()
    name: Line = left_alone()
    email: Email = left_alone()
    kind: Kind = left_alone()
    organisation: Line | None = None
    entity: Slug | None = None
    country: CountryCode | None = None
    languages: Annotated[Tags, Field(min_length=1)] = left_alone()
    objectives: Numbers = left_alone()
    active: bool = left_alone()


class Reviewer(ReviewerEntry):
    """A person of the roster; for the secretariat alone."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    load: int = Field(description="Reviews that wait for them now.")


class ReviewerList(Paging):
    """Parameters of the roster."""

    kind: list[Kind] = []
    language: list[LanguageTag] = []
    objective: list[ObjectiveNumber] = []
    country: list[CountryCode] = []
    active: bool | None = None


class SeatedReviewer(Model):
    """A reviewer as the secretariat sees them in a round."""

    id: UUID
    name: str
    kind: Kind

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls.model_validate({"id": entry.id, "name": entry.name, "kind": entry.kind})


class CandidateReason(Model):
    """Why somebody is proposed, by criterion."""

    criterion: Literal["language", "objectives", "load", "region", "conflict"]
    detail: str


class ReviewerCandidate(Model):
    """A reviewer who may be assigned; the best first."""

    reviewer: SeatedReviewer
    languages: list[LanguageTag]
    objectives: list[ObjectiveNumber] = Field(description="Of the practice's objectives, those they know.")
    country: CountryCode | None
    load: int
    reasons: list[CandidateReason]


class ReviewerCandidates(Model):
    items: list[ReviewerCandidate]
    next: None = None
