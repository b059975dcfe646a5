"""What clients send and read of the Steering Committee's meetings."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from services.mptf.schemas import Comment, ConceptNoteDecision, ConceptNoteStatus, ThematicAreaNumber
from shared.lists import Paging
from shared.reference import CountryCode
from shared.schemas import Day, Line, Model, Money

MeetingStatus = Literal["planned", "held", "cancelled"]
MeetingActionName = Literal["hold", "cancel"]
FIRST, LAST = date(2017, 1, 1), date(2199, 12, 31)


def _within(day: date) -> date:
    if day < FIRST:
        raise ValueError(f"Input should be greater than or equal to {FIRST}")
    if day > LAST:
        raise ValueError(f"Input should be less than or equal to {LAST}")
    return day


MeetingDay = Annotated[
    Day, AfterValidator(_within), Field(description=f"The day in UTC, from {FIRST} to {LAST}.", examples=["2027-03-01"])
]


class NewMeeting(Model):
    """A meeting that is planned."""

    date: MeetingDay
    title: Line
    location: Line | None = None


class MeetingChanges(Model):
    """What may change while a meeting is planned; a new date gives notes new slots."""

    date: MeetingDay | None = None
    title: Line | None = None
    location: Line | None = None


class MeetingAction(Model):
    """The body of an action."""

    comment: Comment | None = None


class AgendaItem(Model):
    """A note on the agenda, where the caller may see it."""

    id: UUID
    reference: str
    title: str
    status: ConceptNoteStatus
    countries: list[CountryCode]
    thematic_area: ThematicAreaNumber | None
    budget_total: Money | None = Field(description="In USD; null where it is not known.")


class TakenDecision(ConceptNoteDecision):
    """A decision taken at a meeting, with the note it is on."""

    concept_note: UUID


class Quorum(Model):
    """How many members were present, and how many it takes."""

    present: int = Field(ge=0, le=1000)
    needed: int = Field(ge=0, le=1000)


class NotedQuorum(Quorum):
    """The quorum as the minutes note it."""

    met: bool


class Meeting(Model):
    """A meeting of the Steering Committee; agenda and decisions show what the caller may see."""

    id: UUID
    date: Day
    title: str
    location: str | None
    status: MeetingStatus
    actions: list[str] = Field(description="What this caller may do now: names for `…/actions/{action}`.")
    submission_deadline: Day = Field(description="The last day (UTC) on which a note is in time for it.")
    agenda: list[AgendaItem]
    decisions: list[TakenDecision]
    quorum: NotedQuorum | None = Field(description="As the minutes note it; null before they are recorded.")
    created_at: datetime
    updated_at: datetime


class MeetingList(Paging):
    """Parameters of the list."""

    status: list[MeetingStatus] = []
    date_from: Day | None = Field(default=None, description="The first day, inclusive.")
    date_to: Day | None = Field(default=None, description="The last day, inclusive.")
    sort: Literal["date", "-date"] = "date"


class NewMinutes(Model):
    """The minutes of a meeting with its quorum; a later text stands beside the earlier ones."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100_000)]
    quorum: Quorum


class Minutes(Model):
    """The minutes as recorded."""

    number: int = Field(description="1 for the first text; the highest one holds.")
    text: str
    quorum: NotedQuorum
    recorded_at: datetime
