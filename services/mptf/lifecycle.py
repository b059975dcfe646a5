"""The life of a concept note, and of a meeting of the Steering Committee (design, section 5)."""

from datetime import date
from typing import Protocol

from shared import clock
from shared.auth import Caller
from shared.lifecycle import OWNER, Lifecycle, Move, Stateful, Who, owns, statuses

STATUSES = (
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
)
EDITABLE = statuses("draft", "returned")
# A note in one of these waits for the meeting at which it is considered.
WAITING = ("submitted", "screening", "eligible")
# From selection on everybody follows a note; cancelled ones stay, marked.
PIPELINE = ("selected", "in_development", "document_submitted", "approved")
PORTFOLIO = ("funded", "active", "operationally_closed", "financially_closed")
PUBLIC = (*PIPELINE, *PORTFOLIO, "cancelled")
COMMITTEE_SEES = frozenset({"eligible", "not_selected", *PUBLIC})
MEETING_STATUSES = ("planned", "held", "cancelled")


class Note(Stateful, Protocol):
    """What the table asks of a concept note."""

    countries: list[str]
    content: dict[str, object]
    submitted_for: list[str]
    meeting_on: date | None


def coordinates(caller: Caller, note: Note) -> bool:
    """Whether the caller is the Resident Coordinator of one of the note's countries."""
    return caller.has("resident_coordinator") and not caller.countries.isdisjoint(note.countries)


def submits(caller: Caller, note: Note) -> bool:
    if note.content.get("route") == "alternative":
        return owns(caller, note)
    return coordinates(caller, note)


def _submitted(caller: Caller, note: Note) -> bool:
    """Whether the caller holds the office from which the note was submitted."""
    return coordinates(caller, note) and bool(note.submitted_for) and caller.countries.issuperset(note.submitted_for)


def _decides(caller: Caller, note: Note) -> bool:
    return caller.has("steering_committee") and not owns(caller, note)


FMU: Who[Note] = Who("fund_management_unit", lambda caller, _: caller.has("fund_management_unit"))
COMMITTEE: Who[Note] = Who("steering_committee", lambda caller, _: caller.has("steering_committee"))
DECIDES: Who[Note] = Who("steering_committee (not on their own entity's note)", _decides)
SUBMITS: Who[Note] = Who("resident_coordinator of one of its countries (the owner on the alternative route)", submits)
SUBMITTED: Who[Note] = Who("the submitting resident_coordinator", _submitted)


def _day_has_come(note: Note) -> str | None:
    if note.meeting_on is None:
        return "The note is on no meeting's agenda yet."
    if clock.today() < note.meeting_on:
        return f"The meeting whose agenda has the note is on {note.meeting_on}."
    return None


CONCEPT_NOTE: Lifecycle[Note] = Lifecycle(
    "concept note",
    STATUSES,
    (
        Move("submit", EDITABLE, "submitted", SUBMITS),
        Move("recall", statuses("submitted"), "draft", SUBMITS),
        Move("screen", statuses("submitted"), "screening", FMU),
        Move("return", statuses("submitted", "screening"), "returned", FMU, comment=True),
        Move("find_eligible", statuses("screening"), "eligible", FMU),
        Move("find_ineligible", statuses("screening"), "not_eligible", FMU, comment=True),
        Move("select", statuses("eligible"), "selected", DECIDES, comment=True, guard=_day_has_come),
        Move("not_select", statuses("eligible"), "not_selected", DECIDES, comment=True, guard=_day_has_come),
        Move("defer", statuses("eligible"), "eligible", DECIDES, comment=True, guard=_day_has_come),
        Move("reconsider", statuses("selected", "not_selected"), "eligible", DECIDES),
        Move("develop", statuses("selected"), "in_development", OWNER),
        Move("submit_document", statuses("in_development"), "document_submitted", OWNER),
        Move("return_document", statuses("document_submitted"), "in_development", FMU | COMMITTEE, comment=True),
        Move("approve", statuses("document_submitted"), "approved", DECIDES),
        Move("fund", statuses("approved"), "funded", FMU),
        Move("start", statuses("funded"), "active", FMU),
        Move("close_operationally", statuses("active"), "operationally_closed", FMU),
        Move("close_financially", statuses("operationally_closed"), "financially_closed", FMU),
        Move("withdraw", EDITABLE | statuses(*WAITING), "withdrawn", OWNER | SUBMITTED, comment=True),
        Move("cancel", statuses(*PIPELINE, "funded", "active"), "cancelled", COMMITTEE, comment=True),
        Move("reopen", statuses("not_eligible", "not_selected", "withdrawn"), "returned", FMU),
    ),
)


class Dated(Stateful, Protocol):
    """What the table asks of a meeting."""

    date: date


KEEPS_MEETINGS: Who[Dated] = Who("fund_management_unit", lambda caller, _: caller.has("fund_management_unit"))


def _not_before_its_day(meeting: Dated) -> str | None:
    return None if meeting.date <= clock.today() else f"The meeting is on {meeting.date}."


MEETING: Lifecycle[Dated] = Lifecycle(
    "meeting",
    MEETING_STATUSES,
    (
        Move("hold", statuses("planned"), "held", KEEPS_MEETINGS, guard=_not_before_its_day),
        Move("cancel", statuses("planned"), "cancelled", KEEPS_MEETINGS),
    ),
)
