"""What clients send and read of statements."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from services.calendar.schemas import Lead, LeadInput, Title, Words
from shared.languages import LanguageTag
from shared.lists import Paging
from shared.reference import CountryCode, ObjectiveNumber, PrincipleCode
from shared.schemas import Day, Draft, Line, Model, Record, Unique

StatementKind = Literal["proactive", "reactive"]
StatementLevel = Literal["global", "regional", "country"]
StatementStatus = Literal["planned", "drafting", "in_clearance", "issued", "dropped"]
StatementActionName = Literal["draft", "submit", "recall", "return", "issue", "drop", "reopen"]


# A key that is no tag has no place beside those that are.
CLOSED: dict[str, JsonValue] = {"additionalProperties": False}
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class DueDates(Model):
    """By when a statement is to have reached each status."""

    drafting: Day | None = None
    in_clearance: Day | None = None
    issued: Day | None = None


class StatementContent(Model):
    """The fields of a statement."""

    title: Title | None = None
    event: UUID | None = Field(default=None, description="The event it is for; null for one on its own.")
    occurs_on: Day | None = Field(
        default=None,
        description="The day it is for: which occurrence of an event that recurs; any other event says itself.",
    )
    kind: StatementKind = "proactive"
    level: StatementLevel = "global"
    cause: Words | None = Field(default=None, description="What it answers, where there is no event.")
    initiated_by: Line | None = None
    lead_entities: list[LeadInput] = Field(
        default=[], max_length=20, description="Sent where another leads than the calendar says; else left out."
    )
    deputies: list[LeadInput] = Field(default=[], max_length=20)
    objectives: Annotated[list[ObjectiveNumber], Unique()] = Field(default=[], max_length=23)
    principles: Annotated[list[PrincipleCode], Unique()] = Field(default=[], max_length=10)
    countries: Annotated[list[CountryCode], Unique()] = Field(default=[], max_length=250)
    text: dict[LanguageTag, Text] = Field(
        default={}, description="The statement by language.", max_length=20, json_schema_extra=CLOSED
    )
    due_dates: DueDates | None = Field(default=None, description="Where other days are agreed than the policy's.")


class StatementDraft(Draft, StatementContent):
    """What is written of a statement."""

    text: dict[LanguageTag, Text | None] = Field(  # type: ignore[assignment]
        default={}, description="The statement by language; null removes one.", max_length=20, json_schema_extra=CLOSED
    )


class NewStatement(StatementDraft):
    """A statement that is planned."""

    title: Title


class StatementEvent(Model):
    """The event that a statement is for."""

    id: UUID
    reference: str
    title: str


class NextDue(Model):
    """What is to happen next to a statement."""

    status: StatementStatus = Field(description="The status it is to reach.")
    on: date
    days_left: int = Field(description="From today (UTC); negative when late.")
    late: bool


class Statement(StatementContent, Record):
    """A statement: the working record for its drafters and staff, what was issued for everyone else."""

    status: StatementStatus
    title: Title
    event: StatementEvent | None  # type: ignore[assignment]
    lead_entities: list[Lead] = Field(description="Who leads, wherever that is said.")  # type: ignore[assignment]
    lead_from: Literal["statement", "edition", "event"] | None = Field(
        description="Where the lead is said: here, by the year's edition of the series, or by the event."
    )
    deputies: list[Lead] = []  # type: ignore[assignment]
    due_dates: DueDates | None = Field(default=None, json_schema_extra={"x-private": True})
    next_due: NextDue | None = Field(default=None, json_schema_extra={"x-private": True})


class StatementFilters(Model):
    """Filters of statements. Repeat one for OR; different ones are AND."""

    kind: list[StatementKind] = []
    level: list[StatementLevel] = []
    objective: list[ObjectiveNumber] = []
    principle: list[PrincipleCode] = []
    lead: list[Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=200)]] = Field(
        default=[], description="A lead as printed, a member's acronym or slug; in any case.", max_length=50
    )
    country: list[CountryCode] = []
    event: list[UUID] = Field(default=[], max_length=50)


class StatementList(StatementFilters, Paging):
    """Parameters of the list."""

    status: list[StatementStatus] = Field(default=[], description="In public all are `issued`.")
    sort: Literal["-published_at", "published_at", "-updated_at", "updated_at"] | None = Field(
        default=None, description="`-published_at` unless given, in a view `-updated_at`."
    )
    view: Literal["mine", "all"] | None = Field(
        default=None, description="Working records: `mine` that the caller's entity drafts, `all` for staff."
    )


class DueList(StatementFilters, Paging):
    """Parameters of what is due."""

    late: bool | None = Field(default=None, description="Only what is late, or only what is not yet.")
    until: Day | None = Field(default=None, description="Only what is due up to this day.")


class StatementAction(Model):
    """The body of an action."""

    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)] | None = None


def content_of(draft: StatementDraft) -> dict[str, Any]:
    """What is kept: fields that are set, as JSON."""
    content = draft.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    if text := {language: words for language, words in content.pop("text", {}).items() if words is not None}:
        content["text"] = text
    return content
