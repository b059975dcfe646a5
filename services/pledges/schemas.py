"""What clients send and read: the draft (everything optional), the pledge, its lists and summary."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.facets import ByCountry, ByEntityType, ByMonth, ByObjective, ByPrinciple, ByRegion
from shared.filters import Published
from shared.languages import LanguageTag
from shared.lists import Paging
from shared.reference import CountryCode, EntityTypeCode, ObjectiveNumber, PrincipleCode, RegionCode
from shared.schemas import (
    Advice,
    Contact,
    Currency,
    Draft,
    Line,
    Measure,
    Model,
    Money,
    PartialDate,
    Record,
    Slug,
    Unique,
    Version,
)

Approach = Literal["individual", "common", "partnership", "matching"]
Form = Literal["financial", "human_resource", "process", "policy"]
Scope = Literal["local", "national", "regional", "global"]
ImplementationStatus = Literal["planned", "in_progress", "fulfilled", "discontinued"]
Status = Literal["draft", "submitted", "returned", "published", "revising", "declined", "withdrawn"]
ActionName = Literal[
    "submit", "recall", "return", "decline", "publish", "revise", "discard", "withdraw", "reopen", "transfer"
]

# The Compact numbers its actions by objective and letter.
GcmAction = Annotated[
    str,
    StringConstraints(pattern=r"^([1-9]|1[0-9]|2[0-3])\.[a-m]$"),
    Field(description="An action of the Compact: objective and letter.", examples=["20.b"]),
]

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Description = Annotated[str, StringConstraints(max_length=3000)]


class Entity(Model):
    """Who pledges, or takes part."""

    name: Line | None = None
    type: EntityTypeCode | None = None
    country: CountryCode | None = None


class Participant(Entity):
    """Another party of a common pledge or a pledge in partnership."""

    name: Line
    entity: Slug | None = Field(
        default=None, description="Slug of the party; with it, the party's own people may confirm."
    )


class Indicator(Model):
    """How the pledge is measured; it may be qualitative."""

    name: Line
    unit: Annotated[str, StringConstraints(max_length=100)] | None = None
    baseline: Measure | None = None
    target: Measure | None = None
    target_text: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="The target in words, where it is no number."
    )
    due_on: PartialDate | None = None


class Financial(Model):
    """The amount of a financial pledge."""

    amount: Money | None = None
    currency: Currency | None = None
    recipient: Annotated[str, StringConstraints(max_length=300)] | None = None


class PledgeContent(Model):
    """The public fields of a pledge; all may be missing while it is a draft."""

    title: Title | None = None
    description: Description | None = Field(default=None, description="At most 3,000 characters; aim for 300 or more.")
    language: LanguageTag | None = Field(default=None, description="Language of the text.")
    entity: Entity | None = None
    approach: Approach | None = None
    participants: list[Participant] = Field(default=[], max_length=200)
    matches: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        default=None, description="Id or reference of the published pledge that this one matches."
    )
    forms: Annotated[list[Form], Unique()] = Field(default=[], max_length=4)
    objectives: Annotated[list[ObjectiveNumber], Unique()] = Field(default=[], max_length=23)
    principles: Annotated[list[PrincipleCode], Unique()] = Field(default=[], max_length=10)
    gcm_actions: Annotated[list[GcmAction], Unique()] = Field(default=[], max_length=100)
    countries: Annotated[list[CountryCode], Unique()] = Field(default=[], max_length=250)
    scope: Scope | None = None
    starts_on: PartialDate | None = None
    ends_on: PartialDate | None = None
    indicators: list[Indicator] = Field(default=[], max_length=50)
    financial: Financial | None = None


class PledgeDraft(Draft, PledgeContent):
    """What an owner writes: send what is known, `submit` says what is missing."""

    contact: Contact | None = None


class NewPledge(PledgeDraft):
    """A draft, and for the secretariat: whose it is and how it was received."""

    owner: Slug | None = Field(
        default=None, description="The entity it is entered for; for the secretariat, others' own is taken."
    )
    received: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="How the secretariat received it; kept in the history."
    )


class Matching(Model):
    """A published pledge that matches this one."""

    id: UUID
    reference: str
    title: str


class Smart(Model):
    """Which of the five properties the pledge shows, and what is missing for the others."""

    specific: bool
    measurable: bool
    achievable: bool
    relevant: bool
    time_bound: bool
    missing: list[str]


class ConfirmedParticipant(Participant):
    """A participant; `confirmed` by their own entity or vouched for by the secretariat."""

    confirmed: bool


class PledgeAttachment(Model):
    """The file of a pledge, kept with each publication as it was then."""

    name: str
    media_type: str
    size: int = Field(description="In bytes.")
    digest: str = Field(description="SHA-256 in hexadecimal; the ETag of the download.")
    public: bool = Field(description="Whether everyone may have it once the pledge is published.")
    created_at: datetime


class Pledge(PledgeContent, Record):
    """A pledge: the working record for its owner and staff, the current publication for everyone else."""

    status: Status
    participants: list[ConfirmedParticipant]  # type: ignore[assignment]
    regions: list[RegionCode] = Field(description="M49 and regional-review regions of its countries.")
    matched_by: list[Matching]
    attachment: PledgeAttachment | None = Field(description="To the public only where its owner made it public.")
    implementation_status: ImplementationStatus | None = Field(
        description="As its owner reports it; null before the first report."
    )
    last_reported_on: PartialDate | None
    freshness: Literal["green", "yellow", "red"] | None = Field(
        description="Green under one year since the last report or first publication, yellow under two, then red; "
        "null once fulfilled or discontinued."
    )
    contact: Contact | None = Field(default=None, json_schema_extra={"x-private": True})
    owner: str | None = Field(default=None, json_schema_extra={"x-private": True})
    smart: Smart | None = Field(default=None, json_schema_extra={"x-private": True})
    warnings: list[Advice] = Field(default=[], json_schema_extra={"x-private": True})


class PledgeVersion(PledgeContent, Version):
    """One publication, as it was published."""

    id: UUID
    reference: str


class PledgeFilters(Published):
    """Filters of lists, summary and export. Repeat one for OR; different ones are AND."""

    objective: list[ObjectiveNumber] = []
    principle: list[PrincipleCode] = []
    form: list[Form] = []
    approach: list[Approach] = []
    entity_type: list[EntityTypeCode] = []
    country: list[CountryCode] = []
    region: list[RegionCode] = []
    language: list[LanguageTag] = []
    implementation_status: list[ImplementationStatus] = []
    scope: list[Scope] = []


class PledgeList(PledgeFilters, Paging):
    """Parameters of the list."""

    sort: Literal["-published_at", "published_at", "-updated_at", "updated_at", "title", "-title"] | None = Field(
        default=None, description="`-published_at` unless given, in a view `-updated_at`; under `q` relevance."
    )
    view: Literal["mine", "all"] | None = Field(
        default=None, description="Working records: `mine` of the caller's entity, `all` for staff."
    )


class PledgeAction(Model):
    """The body of an action."""

    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)] | None = None
    owner: Slug | None = Field(default=None, description="For `transfer`: the new owner.")


class IndicatorValue(Model):
    """An indicator's value at a report."""

    name: Line
    value: Measure | None = None
    text: Annotated[str, StringConstraints(max_length=1000)] | None = None


class NewProgress(Model):
    """A report of progress."""

    implementation_status: ImplementationStatus
    narrative: Annotated[str, StringConstraints(max_length=3000)] | None = None
    indicator_values: list[IndicatorValue] = Field(default=[], max_length=50)
    reported_on: PartialDate | None = Field(default=None, description="Today unless given.")
    corrects: UUID | None = Field(default=None, description="The report that this one puts right.")


class Progress(NewProgress):
    """A report of progress, as the pledging entity gave it."""

    id: UUID
    created_at: datetime
    reported_on: PartialDate
    self_reported: Literal[True]
    corrected_by: UUID | None


class ByForm(Model):
    form: Form
    count: int


class ByApproach(Model):
    approach: Approach
    count: int


class ByImplementationStatus(Model):
    implementation_status: ImplementationStatus
    count: int


class Sum(Model):
    """Money pledged in one currency; sums are never added across currencies."""

    currency: Currency
    amount: Money
    count: int


class PledgeSummary(Model):
    """The public dashboard's numbers over the pledges that the filters leave; facets are disjunctive."""

    total: int
    by_objective: list[ByObjective]
    by_principle: list[ByPrinciple]
    by_form: list[ByForm]
    by_approach: list[ByApproach]
    by_entity_type: list[ByEntityType]
    by_region: list[ByRegion]
    by_country: list[ByCountry]
    by_implementation_status: list[ByImplementationStatus]
    by_month: list[ByMonth]
    financial: list[Sum]


def content_of(draft: PledgeDraft) -> dict[str, Any]:
    """What is kept: fields that are set, as JSON."""
    return draft.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"owner", "received"})


class Confirmation(Model):
    """Which participant is confirmed, by the name it has in the pledge."""

    name: Line


class Confirmed(Model):
    """A participant that is confirmed, of which pledge."""

    pledge_id: UUID
    reference: str
    title: str
    name: str
    confirmed: Literal[True]


SupportStatus = Literal["open", "assigned", "answered", "closed"]


class NewSupportRequest(Model):
    """What support is asked for."""

    topic: Line
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)] | None = None


class SupportRequest(Model):
    """A request for support in carrying out a pledge."""

    id: UUID
    pledge_id: UUID
    reference: str = Field(description="The pledge's reference.")
    owner: str
    status: SupportStatus
    actions: list[str]
    topic: str
    description: str | None
    assignee: str | None = Field(description="Who of the secretariat looks after it.")
    answer: str | None
    created_at: datetime
    updated_at: datetime
    age_days: int = Field(description="Whole days since it was made, until it was closed.")


class SupportAction(Model):
    """The body of an action on a support request."""

    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)] | None = Field(
        default=None, description="For `answer` the answer, for `reopen` why."
    )
    assignee: Line | None = Field(default=None, description="For `assign`; the caller unless given.")


class SupportList(Paging):
    """Parameters of the list of support requests, the newest first."""

    status: list[SupportStatus] = []
