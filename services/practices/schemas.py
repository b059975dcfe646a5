"""What clients send and read: the draft (everything optional), the practice, its lists and summary."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.facets import ByCountry, ByEntityType, ByObjective, ByPrinciple, ByRegion, BySdg
from shared.filters import Published
from shared.languages import Language
from shared.lists import Page, Paging
from shared.reference import CountryCode, EntityTypeCode, ObjectiveNumber, PrincipleCode, RegionCode, SdgNumber
from shared.schemas import Advice, Contact, Draft, Line, Model, PartialDate, Record, Slug, Unique, Version, WebAddress

Scope = Literal["local", "national", "regional", "global"]
Status = Literal["draft", "submitted", "in_review", "returned", "published", "revising", "declined", "withdrawn"]
ActionName = Literal[
    "submit", "recall", "review", "return", "publish", "decline", "revise", "discard", "withdraw", "reopen", "transfer"
]

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Summary = Annotated[str, StringConstraints(max_length=2000), Field(description="Markdown.")]
Prose = Annotated[str, StringConstraints(max_length=20000), Field(description="Markdown.")]

# The fields that a translation repeats; all but the title are Markdown.
MARKDOWN = ("summary", "description", "benefits", "lessons", "recommendations", "innovation")
TEXTS = ("title", *MARKDOWN)


class PracticeTexts(Model):
    """What a practice says in one language."""

    title: Title | None = None
    summary: Summary | None = None
    description: Prose | None = None
    benefits: Prose | None = None
    lessons: Prose | None = None
    recommendations: Prose | None = None
    innovation: Prose | None = None


class PracticeTranslation(PracticeTexts):
    """The same in another language, reviewed with the practice."""

    machine: bool = Field(default=False, description="True for a machine's translation.")


class PracticeTranslations(Model):
    """Translations by language; none into the original's own."""

    en: PracticeTranslation | None = None
    fr: PracticeTranslation | None = None
    es: PracticeTranslation | None = None


class PracticeOrganisation(Model):
    """Who carries a practice out, or takes part."""

    name: Line
    type: EntityTypeCode | None = None


class PracticeResource(Model):
    """Where to read more."""

    title: Line
    url: WebAddress


Objectives = Annotated[list[ObjectiveNumber], Unique(), Field(max_length=23)]


class PracticeContent(PracticeTexts):
    """The public fields of a practice; all may be missing while it is a draft."""

    language: Language | None = Field(default=None, description="The language it was written in.")
    translations: PracticeTranslations | None = None
    organisations: list[PracticeOrganisation] = Field(default=[], max_length=50)
    partners: list[PracticeOrganisation] = Field(default=[], max_length=100)
    countries: Annotated[list[CountryCode], Unique()] = Field(default=[], max_length=250)
    scope: Scope | None = None
    primary_objectives: Objectives = []
    secondary_objectives: Objectives = []
    principles: Annotated[list[PrincipleCode], Unique()] = Field(
        default=[], max_length=10, description="Those it exemplifies; every practice upholds all ten."
    )
    sdgs: Annotated[list[SdgNumber], Unique()] = Field(default=[], max_length=17)
    practice_type: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] | None = None
    starts_on: PartialDate | None = None
    ends_on: PartialDate | None = None
    ongoing: bool | None = None
    resources: list[PracticeResource] = Field(default=[], max_length=50)
    call: UUID | None = Field(default=None, description="The call for practices that it answers.")


class PracticeDraft(Draft, PracticeContent):
    """What an owner writes: send what is known, `submit` says what is missing."""

    contact: Contact | None = None
    editorial: bool | None = Field(
        default=None, description="For a revision: it changes no substance and may be published without a review."
    )

    @model_validator(mode="after")
    def _translates_into_others(self) -> Self:
        if self.language and self.translations and getattr(self.translations, self.language):
            raise PydanticCustomError("own_language", "a translation into the language it was written in")
        return self


class NewPractice(PracticeDraft):
    """A draft, and for the secretariat: whose it is and how it was received."""

    owner: Slug | None = Field(
        default=None, description="The entity it is entered for; for the secretariat, others' own is taken."
    )
    received: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="How the secretariat received it; kept in the history."
    )


class PracticeHtml(Model):
    """The Markdown fields as clean HTML: no scripts, no handlers, links to http, https and mailto only."""

    summary: str | None
    description: str | None
    benefits: str | None
    lessons: str | None
    recommendations: str | None
    innovation: str | None


class PublishedTranslation(PracticeTranslation):
    """A translation, and whether a reviewer who reads its language judged the practice with it."""

    reviewed: bool | None = Field(description="Null where there was no peer review.")


class PublishedTranslations(Model):
    """Translations by language."""

    en: PublishedTranslation | None
    fr: PublishedTranslation | None
    es: PublishedTranslation | None


class PracticeMatch(Model):
    """Where the words of `q` were found: HTML, escaped, with `mark` around them."""

    title: str
    text: str = Field(description="A passage of the text; empty where only the title matches.")


class PracticeRound(Model):
    """How far the review is; for the secretariat."""

    round: int
    state: Literal["waiting", "carried", "disagreed", "deadlocked"] = Field(
        description="`disagreed` asks for a further reviewer, `deadlocked` for the secretariat's own decision."
    )
    outcome: Literal["accept", "revise", "decline"] | None
    lacks: str | None = Field(description="What keeps the review from starting, or an outcome from being carried.")


class Practice(PracticeContent, Record):
    """A practice: the working record for its owner and staff, the current publication for everyone else.

    A publication's texts are in the language that Accept-Language prefers among those it has (`text_language`);
    a working record's are as they were written.
    """

    status: Status
    translations: PublishedTranslations  # type: ignore[assignment]
    text_language: Language | None = Field(description="The language of the texts as they stand in this answer.")
    objectives: list[ObjectiveNumber] = Field(description="Primary and secondary ones: what `objective` filters.")
    regions: list[RegionCode] = Field(description="M49 and regional-review regions of its countries.")
    peer_reviewed: bool | None = Field(
        description="Whether peer review carried this text; null for a record of before this system."
    )
    html: PracticeHtml | None = Field(
        default=None, description="Absent in lists.", json_schema_extra={"x-private": True}
    )
    match: PracticeMatch | None = Field(
        default=None, description="There under `q` only.", json_schema_extra={"x-private": True}
    )
    contact: Contact | None = Field(default=None, json_schema_extra={"x-private": True})
    owner: str | None = Field(default=None, json_schema_extra={"x-private": True})
    editorial: bool | None = Field(default=None, json_schema_extra={"x-private": True})
    warnings: list[Advice] = Field(default=[], json_schema_extra={"x-private": True})
    review: PracticeRound | None = Field(default=None, json_schema_extra={"x-private": True})


class PracticePage(Page[Practice]):
    """One page of practices."""

    near: str | None = Field(
        default=None,
        description="The words that were searched instead, where nothing held those of `q` as they were spelt.",
        json_schema_extra={"x-private": True},
    )


class PracticeVersion(PracticeContent, Version):
    """One publication, as it was published."""

    id: UUID
    reference: str
    peer_reviewed: bool | None


class PracticeFilters(Published):
    """Filters of lists and summary. Repeat one for OR; different ones are AND."""

    objective: list[ObjectiveNumber] = []
    principle: list[PrincipleCode] = []
    sdg: list[SdgNumber] = []
    entity_type: list[EntityTypeCode] = []
    country: list[CountryCode] = []
    region: list[RegionCode] = []
    language: list[Language] = Field(default=[], description="The language it was written in.")
    scope: list[Scope] = []
    call: list[UUID] = []


class PracticeList(PracticeFilters, Paging):
    """Parameters of the list."""

    sort: Literal["-published_at", "published_at", "-updated_at", "updated_at", "title", "-title"] | None = Field(
        default=None, description="`-published_at` unless given, in a view `-updated_at`; under `q` relevance."
    )
    view: Literal["mine", "all"] | None = Field(
        default=None, description="Working records: `mine` of the caller's entity, `all` for staff."
    )


class PracticeAction(Model):
    """The body of an action."""

    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)] | None = None
    owner: Slug | None = Field(default=None, description="For `transfer`: the new owner.")
    editorial: bool | None = Field(
        default=None, description="For `revise` and `submit`: marks a revision that changes no substance."
    )


class PracticesByLanguage(Model):
    language: Language
    count: int


class PracticesByScope(Model):
    scope: Scope
    count: int


class PracticeSummary(Model):
    """Counts over the practices that the filters leave; facets are disjunctive."""

    total: int
    near: str | None = Field(
        description="The words that were searched instead, where nothing held those of `q` as they were spelt."
    )
    by_objective: list[ByObjective]
    by_principle: list[ByPrinciple]
    by_sdg: list[BySdg]
    by_entity_type: list[ByEntityType]
    by_region: list[ByRegion]
    by_country: list[ByCountry]
    by_language: list[PracticesByLanguage]
    by_scope: list[PracticesByScope]


class SimilarPractice(Model):
    """A published practice and what it has in common with the one asked about."""

    id: UUID
    reference: str
    title: str
    text_language: Language | None
    objectives: list[ObjectiveNumber] = Field(description="Those that both have; so with the fields below.")
    principles: list[PrincipleCode]
    sdgs: list[SdgNumber]
    countries: list[CountryCode]
    regions: list[RegionCode]


class SimilarPractices(Model):
    """The nearest first."""

    items: list[SimilarPractice]


def content_of(draft: PracticeDraft) -> dict[str, Any]:
    """What is kept: fields that are set, as JSON."""
    return draft.model_dump(
        mode="json", exclude_none=True, exclude_defaults=True, exclude={"owner", "received", "editorial"}
    )
