"""What clients send and read of events: the draft, the event, its occurrences, lists and feeds."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, WithJsonSchema

from services.calendar.dates import ZONES, Precision
from shared.filters import Published
from shared.languages import LanguageTag
from shared.lists import Paging
from shared.reference import CountryCode, ObjectiveNumber, PrincipleCode, RegionCode, member_by
from shared.schemas import Day, Draft, Line, Model, PartialDate, Record, Slug, Unique, Version, WebAddress

Kind = Literal[
    "international_day",
    "key_date",
    "network_event",
    "gcm_talk",
    "dialogue",
    "webinar",
    "briefing",
    "hearing",
    "conference",
    "annual_meeting",
    "regional_review",
    "imrf",
    "migration_week",
    "steering_committee",
    "other",
]
Mode = Literal["online", "in_person", "hybrid"]
DateStatus = Literal["confirmed", "tbc"]
LeadStatus = Literal["assigned", "tbc", "none"]
ObjectivesStatus = Literal["assigned", "all", "tbc", "none"]
Recurrence = Literal["none", "annual"]
Known = Literal["true", "false", "unknown"]
EventStatus = Literal["suggested", "published", "declined", "cancelled", "withdrawn"]
PublicStatus = Literal["published", "cancelled"]
EventActionName = Literal["publish", "decline", "reschedule", "cancel", "withdraw"]

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"\S")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


def _zone(name: str) -> str:
    if name not in ZONES:
        raise ValueError("not a zone of the IANA database, such as Africa/Nairobi")
    return name


TimeZone = Annotated[
    str,
    AfterValidator(_zone),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 60,
            "pattern": "^[A-Za-z0-9_+/-]+$",
            "description": "A zone of the IANA database.",
            "examples": ["America/New_York"],
        }
    ),
]


class Lead(Model):
    """Who leads the statement: the name as printed, and the Network's member where one is meant."""

    name: Line
    member: Slug | None = Field(default=None, description="Slug of the member of the Network; null where none is.")


def as_lead(value: Lead | str) -> Lead:
    """A bare name is a lead too; the member is found by its acronym."""
    lead = Lead(name=value) if isinstance(value, str) else value
    if "member" not in lead.model_fields_set and (member := member_by(lead.name)):
        return Lead(name=lead.name, member=member.slug)
    return lead


LeadInput = Annotated[Lead | Line, AfterValidator(as_lead)]


class Registration(Model):
    """How one registers."""

    status: Literal["open", "closed", "not_needed"]
    url: WebAddress | None = None


class EventLink(Model):
    """More information, a recording, a report."""

    title: Line
    url: WebAddress


class TalkRequest(Model):
    """What is asked for with a GCM Talk (or another event) that has no date yet."""

    topic: Words | None = None
    level: Literal["global", "regional", "national"] | None = None
    organiser: Line | None = None
    wished_dates: list[PartialDate] = Field(default=[], max_length=10)


class PrintedText(Model):
    """An entry as its source prints it, cell by cell."""

    document: Line | None = None
    row: int | None = Field(default=None, ge=1, le=10_000)
    topic: Words | None = None
    date: Words | None = None
    lead_entity: Words | None = None
    gcm_objective_gp: Words | None = Field(default=None, description="Objective or guiding principle.")


class EventContent(Model):
    """The public fields of an event; a suggestion may lack all but its title."""

    title: Title | None = None
    kind: Kind | None = None
    starts_on: PartialDate | None = Field(
        default=None, description="First day, as far as it is known; of what recurs, in its first year."
    )
    ends_on: PartialDate | None = Field(default=None, description="Last day, inclusive; null where it is the first.")
    precision: Precision | None = Field(default=None, description="How far the days are known; as sent unless given.")
    starts_at: AwareDatetime | None = Field(default=None, description="Where the hour is known: instead of days.")
    ends_at: AwareDatetime | None = None
    timezone: TimeZone | None = Field(default=None, description="The zone whose clock the hours follow.")
    recurrence: Recurrence = Field(
        default="none", description="`annual` recurs on the same day and hour every year; 29 February in leap years."
    )
    date_status: DateStatus = "confirmed"
    mode: Mode | None = None
    location: Words | None = None
    url: WebAddress | None = None
    organisers: Annotated[list[Line], Unique()] = Field(default=[], max_length=50)
    lead_entities: list[LeadInput] = Field(default=[], max_length=20)
    lead_status: LeadStatus | None = Field(default=None, description="`assigned` with leads, else `none` unless given.")
    objectives: Annotated[list[ObjectiveNumber], Unique()] = Field(default=[], max_length=23)
    principles: Annotated[list[PrincipleCode], Unique()] = Field(default=[], max_length=10)
    objectives_status: ObjectivesStatus | None = Field(
        default=None, description="`all` stands for the 23; `assigned` for objectives or principles that are named."
    )
    one_voice: bool | None = Field(
        default=None, description="Whether the Network plans to speak with one voice; null: not known."
    )
    network: bool | None = Field(default=None, description="Whether it is the Network's own; null: not known.")
    interpretation: Annotated[list[LanguageTag], Unique()] = Field(default=[], max_length=20)
    audience: Words | None = None
    registration: Registration | None = None
    links: list[EventLink] = Field(default=[], max_length=20)
    description: Annotated[str, StringConstraints(max_length=5000)] | None = None
    countries: Annotated[list[CountryCode], Unique()] = Field(default=[], max_length=250)
    series: Slug | None = Field(default=None, description="What this is an edition of, such as `migration-week`.")
    source_text: PrintedText | None = None
    request: TalkRequest | None = None


class EventDraft(Draft, EventContent):
    """What is written: a suggestion, or the secretariat's event."""


class NewEvent(EventDraft):
    """A suggestion, or with `publish` an event of the secretariat's."""

    title: Title
    publish: bool = Field(default=False, description="For the secretariat: publish at once.")


class Duplicate(Model):
    """An event much like this one."""

    id: UUID
    reference: str
    title: str
    status: EventStatus
    first_day: date | None
    last_day: date | None


class Event(EventContent, Record):
    """An event: the working record for its suggester and staff, the current publication for everyone else."""

    status: EventStatus
    title: Title
    lead_entities: list[Lead] = []  # type: ignore[assignment]
    lead_status: LeadStatus
    objectives_status: ObjectivesStatus
    first_day: date | None = Field(description="The earliest day it may fall on; null while there is no date.")
    last_day: date | None = Field(description="The latest day it may fall on, inclusive.")
    regions: list[RegionCode] = Field(description="M49 and regional-review regions of its countries.")
    sequence: int = Field(description="Changes that subscribers have heard of, as in the feed.")
    cancelled_at: datetime | None
    superseded_by: UUID | None = Field(description="The edition of its series that says more precisely when.")
    owner: str | None = Field(default=None, json_schema_extra={"x-private": True})
    possible_duplicates: list[Duplicate] = Field(
        default=[],
        description="While it is a suggestion: events of like title and date.",
        json_schema_extra={"x-private": True},
    )


class EventVersion(Version, EventContent):
    """One publication, as it was published."""

    id: UUID
    reference: str
    lead_entities: list[Lead] = []  # type: ignore[assignment]


class Occurrence(Model):
    """One taking place of an event, with what a month or an agenda shows of it."""

    event_id: UUID
    reference: str
    status: PublicStatus
    title: str
    kind: Kind
    starts_on: PartialDate
    ends_on: PartialDate = Field(description="Inclusive.")
    precision: Precision
    first_day: date = Field(description="The earliest day it may fall on, in its own zone.")
    last_day: date
    starts_at: datetime | None
    ends_at: datetime | None
    timezone: TimeZone | None
    recurrence: Recurrence
    date_status: DateStatus
    mode: Mode | None
    location: str | None
    url: WebAddress | None
    organisers: list[str]
    lead_entities: list[Lead]
    lead_status: LeadStatus
    objectives: list[ObjectiveNumber]
    principles: list[PrincipleCode]
    objectives_status: ObjectivesStatus
    one_voice: bool | None
    network: bool | None
    interpretation: list[LanguageTag]
    audience: str | None
    registration: Registration | None
    countries: list[CountryCode]
    regions: list[RegionCode]
    series: Slug | None


class EventFilters(Published):
    """Filters of lists, occurrences and feeds. Repeat one for OR; different ones are AND."""

    kind: list[Kind] = []
    mode: list[Mode] = []
    precision: list[Precision] = Field(default=[], description="`day` leaves out what is known to the month only.")
    objective: list[ObjectiveNumber] = []
    principle: list[PrincipleCode] = []
    lead: list[Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=200)]] = Field(
        default=[], description="A lead as printed, a member's acronym or slug; in any case.", max_length=50
    )
    country: list[CountryCode] = []
    region: list[RegionCode] = []
    one_voice: list[Known] = []
    network: list[Known] = []
    series: list[Slug] = []


class DayRange(Model):
    """Days between which something takes place, both inclusive."""

    from_: Day | None = Field(default=None, alias="from", description="First day, inclusive.")
    to: Day | None = Field(default=None, description="Last day, inclusive.")


class EventList(EventFilters, DayRange, Paging):
    """Parameters of the list."""

    status: list[EventStatus] = Field(default=[], description="In public `published` or `cancelled`.")
    sort: (
        Literal[
            "-published_at",
            "published_at",
            "-updated_at",
            "updated_at",
            "starts_on",
            "-starts_on",
            "title",
            "-title",
        ]
        | None
    ) = Field(default=None, description="`-published_at` unless given, in a view `-updated_at`; under `q` relevance.")
    view: Literal["mine", "all"] | None = Field(
        default=None, description="Working records: `mine` that the caller suggested, `all` for staff."
    )


class OccurrenceList(EventFilters, DayRange, Paging):
    """Parameters of the occurrences: at most ten years; from today, a year long, unless given."""

    limit: int = Field(default=100, ge=1, le=1000, description="Occurrences on a page: a month, an agenda.")


class Feed(EventFilters, DayRange):
    """Parameters of the subscription."""


class EventAction(Model):
    """The body of an action."""

    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)] | None = None
    starts_on: PartialDate | None = Field(default=None, description="For `reschedule`: the new first day.")
    ends_on: PartialDate | None = None
    precision: Precision | None = None
    starts_at: AwareDatetime | None = Field(default=None, description="For `reschedule`: the new hour.")
    ends_at: AwareDatetime | None = None
    timezone: TimeZone | None = Field(default=None, description="Unless given, the zone that the event has.")
    date_status: DateStatus | None = None


def content_of(draft: EventDraft) -> dict[str, Any]:
    """What is kept: fields that are set, as JSON."""
    return draft.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"publish"})
