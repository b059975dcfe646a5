"""What clients send and read of concept notes: the draft (everything optional), the note, the joint programme."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.filters import Published
from shared.lists import Paging
from shared.reference import CountryCode, EntityTypeCode, ObjectiveNumber, PrincipleCode, RegionCode, SdgNumber
from shared.schemas import (
    Advice,
    Contact,
    Currency,
    Draft,
    Line,
    Model,
    Money,
    PartialDate,
    Record,
    Slug,
    Unique,
    Version,
)

ConceptNoteScope = Literal["country", "cross_border", "multi_country", "regional", "global"]
Route = Literal["resident_coordinator", "joint_resident_coordinators", "alternative"]
ProgrammeStatus = Literal[
    "selected",
    "in_development",
    "document_submitted",
    "approved",
    "funded",
    "active",
    "operationally_closed",
    "financially_closed",
    "cancelled",
]
ConceptNoteStatus = Literal[
    "draft",
    "submitted",
    "returned",
    "screening",
    "eligible",
    "not_eligible",
    "selected",
    "not_selected",
    "in_development",
    "document_submitted",
    "approved",
    "funded",
    "active",
    "operationally_closed",
    "financially_closed",
    "withdrawn",
    "cancelled",
]
ConceptNoteActionName = Literal[
    "submit",
    "recall",
    "screen",
    "return",
    "find_eligible",
    "find_ineligible",
    "select",
    "not_select",
    "defer",
    "reconsider",
    "develop",
    "submit_document",
    "return_document",
    "approve",
    "fund",
    "start",
    "close_operationally",
    "close_financially",
    "withdraw",
    "cancel",
    "reopen",
]
ThematicAreaNumber = Annotated[int, Field(ge=1, le=5)]

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]
Acronym = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=80),
    Field(description="Acronym of an organisation; members of the Network by theirs.", examples=["IOM", "UN Women"]),
]
SdgTarget = Annotated[
    str,
    StringConstraints(pattern=r"^([1-9]|1[0-7])(\.([1-9]|1[0-9]|[a-d]))?$"),
    Field(description="A target of the 2030 Agenda, or a goal where no more is known.", examples=["10.7"]),
]


class ProgrammePartner(Model):
    """Who else carries the programme out: a government, a city, civil society."""

    name: Line
    type: EntityTypeCode | None = None


class BudgetLine(Model):
    """An organisation's part of the budget, in USD."""

    organisation: Acronym
    amount: Money
    indirect_costs: Money | None = Field(default=None, description="How much of the amount is indirect costs.")


class CoFunding(Model):
    """Money from elsewhere; never added to the budget."""

    source: Line
    amount: Money | None = None
    currency: Currency | None = None


class Marker(Model):
    """A marker's code in the scheme named."""

    scheme: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class Markers(Model):
    """The three markers that the Fund asks of every proposal."""

    gender: Marker | None = None
    human_rights: Marker | None = None
    child: Marker | None = None


class GovernmentEndorsement(Model):
    """The government institution that endorses the note, and when it did."""

    institution: Line | None = None
    on: PartialDate | None = None


class WithoutCoordinator(Model):
    """A country of the note that has no Resident Coordinator."""

    country: CountryCode
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ConceptNoteContent(Model):
    """The public fields of a concept note; all may be missing while it is a draft."""

    title: Title | None = None
    countries: Annotated[list[CountryCode], Unique()] = Field(default=[], max_length=250)
    scope: ConceptNoteScope | None = None
    route: Route | None = Field(default=None, description="How the note comes to the Fund.")
    justification: Text | None = Field(default=None, description="Why the alternative route is taken.")
    without_resident_coordinator: list[WithoutCoordinator] = Field(
        default=[], max_length=250, description="Countries that need no endorsement, each with the reason."
    )
    convening_organisation: Acronym | None = None
    participating_organisations: Annotated[list[Acronym], Unique()] = Field(default=[], max_length=50)
    partners: list[ProgrammePartner] = Field(default=[], max_length=200)
    primary_objectives: Annotated[list[ObjectiveNumber], Unique()] = Field(default=[], max_length=23)
    secondary_objectives: Annotated[list[ObjectiveNumber], Unique()] = Field(default=[], max_length=23)
    thematic_area: ThematicAreaNumber | None = Field(
        default=None, description="Taken from the primary objectives where they share one, else stated."
    )
    sdg_targets: Annotated[list[SdgTarget], Unique()] = Field(default=[], max_length=169)
    duration_months: Annotated[int, Field(ge=1, le=240)] | None = None
    budget: list[BudgetLine] = Field(default=[], max_length=100, description="One line for each organisation, in USD.")
    co_funding: list[CoFunding] = Field(default=[], max_length=50)
    markers: Markers | None = None
    rationale: Text | None = None
    results: Text | None = None
    principles: dict[PrincipleCode, Annotated[str, StringConstraints(min_length=1, max_length=5000)]] = Field(
        default={}, description="How a guiding principle is lived, by its code."
    )
    government_endorsement: GovernmentEndorsement | None = None


class ConceptNoteDraft(Draft, ConceptNoteContent):
    """What is written: send what is known, `submit` says what is missing."""

    contact: Contact | None = None


class NewConceptNote(ConceptNoteDraft):
    """A draft, and for the secretariat and the Fund Management Unit: whose it is and how it was received."""

    owner: Slug | None = Field(default=None, description="The entity it is entered for; the caller's unless given.")
    received: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="How it was received, where it is entered for another; kept in the history."
    )


class MeetingSlot(Model):
    """The meeting that considers a note, or that decided on it."""

    id: UUID
    date: date


class StatusSince(Model):
    """When a joint programme came to a status."""

    status: ProgrammeStatus
    at: datetime


class JointProgramme(ConceptNoteContent, Record):
    """A selected note, later the joint programme: what everybody reads."""

    status: ConceptNoteStatus
    label: str | None = Field(description="What to call it where its title is not known.")
    regions: list[RegionCode] = Field(description="M49 and regional-review regions of its countries.")
    sdgs: list[SdgNumber] = Field(description="The goals of its targets.")
    budget_total: Money | None = Field(description="In USD; null where it is not known.")
    currency: Literal["USD"]
    starts_on: PartialDate | None = Field(description="When it started, as far as it is known.")
    ends_on: PartialDate | None = Field(description="When it ends or ended, as far as it is known.")
    meeting: MeetingSlot | None = Field(description="The meeting that considers it, or that decided on it.")
    transferred: Money | None = Field(description="Transferred so far, in USD; null before a budget is approved.")
    status_history: list[StatusSince] = Field(description="From selection on, the oldest first.")


class StandingEndorsement(Model):
    """A Resident Coordinator's endorsement that stands."""

    id: UUID
    country: CountryCode
    actor: str
    made_at: datetime


class ConceptNote(JointProgramme):
    """A concept note: the working record for its own and for staff, else the joint programme it became."""

    contact: Contact | None = Field(default=None, json_schema_extra={"x-private": True})
    owner: str | None = Field(default=None, json_schema_extra={"x-private": True})
    submitted_at: datetime | None = Field(default=None, json_schema_extra={"x-private": True})
    in_time_from: date | None = Field(
        default=None,
        description="The first day on which a meeting may consider it.",
        json_schema_extra={"x-private": True},
    )
    endorsements: list[StandingEndorsement] = Field(default=[], json_schema_extra={"x-private": True})
    endorsements_missing: list[CountryCode] = Field(
        default=[],
        description="Countries whose Resident Coordinator has not endorsed; the one who submits is counted then.",
        json_schema_extra={"x-private": True},
    )
    warnings: list[Advice] = Field(default=[], json_schema_extra={"x-private": True})


class ConceptNoteVersion(Version, ConceptNoteContent):
    """One publication, as it was published."""

    id: UUID
    reference: str
    budget_total: Money | None


class ProgrammeFilters(Published):
    """Filters of lists, summary and export. Repeat one for OR; different ones are AND."""

    status: list[ProgrammeStatus] = []
    thematic_area: list[ThematicAreaNumber] = []
    objective: list[ObjectiveNumber] = []
    country: list[CountryCode] = []
    region: list[RegionCode] = []
    organisation: list[Acronym] = []
    sdg: list[SdgNumber] = []
    scope: list[ConceptNoteScope] = []


SortKey = Literal["-published_at", "published_at", "-updated_at", "updated_at", "title", "-title"]


class ProgrammeList(ProgrammeFilters, Paging):
    """Parameters of the public list."""

    sort: SortKey | None = Field(default=None, description="`-published_at` unless given; under `q` relevance.")


class ConceptNoteFilters(ProgrammeFilters):
    """As for programmes, with every status."""

    status: list[ConceptNoteStatus] = []  # type: ignore[assignment]


class ConceptNoteList(ConceptNoteFilters, Paging):
    """Parameters of the list of notes."""

    sort: SortKey | None = Field(
        default=None, description="`-published_at` unless given, in a view `-updated_at`; under `q` relevance."
    )
    view: Literal["mine", "all"] | None = Field(
        default=None,
        description="Working records: `mine` of the caller's entity and countries, `all` that a staff role may see.",
    )


class ConceptNoteAction(Model):
    """The body of an action."""

    comment: Comment | None = None
    keep_date: bool = Field(
        default=False, description="For `screen`: the six weeks count from before the latest submission."
    )
    decision: UUID | None = Field(
        default=None, description="For `reconsider`: the decision meant, the last one if not."
    )


class NewEndorsement(Model):
    """A Resident Coordinator's endorsement of a note of several countries."""

    country: CountryCode


class Endorsement(StandingEndorsement):
    """An endorsement, with how it ended if it did."""

    ended_at: datetime | None
    ended_by: Literal["withdrawal", "change"] | None = Field(
        description="Withdrawn, or lapsed by a change of countries, organisations or budget."
    )


class CriterionMet(Model):
    """Whether a criterion is met; a comment is needed where it is not."""

    met: bool
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=3000)] | None = None


class NewAssessment(Model):
    """The screening of a note against the policy's criteria, by their codes."""

    criteria: dict[str, CriterionMet] = Field(max_length=100, description="By the codes of the policy's criteria.")


class Assessment(NewAssessment):
    """An assessment with the policy whose criteria it uses."""

    policy: date = Field(description="The day from which that policy holds.")
    assessed_at: datetime
    missing: list[str] = Field(description="Codes of criteria that are not assessed yet.")


class ConceptNoteDecision(Model):
    """A decision of the Steering Committee."""

    id: UUID
    decision: Literal["select", "not_select", "defer", "reconsider", "approve", "cancel"]
    meeting: UUID | None = Field(description="The meeting it was taken at; null between meetings.")
    rationale: str | None
    reconsiders: UUID | None = Field(description="The decision that it takes up again.")
    decided_at: datetime


def content_of(draft: ConceptNoteDraft) -> dict[str, Any]:
    """What is kept: fields that are set, as JSON."""
    return draft.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"owner", "received"})
