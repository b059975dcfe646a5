"""Which meeting considers which note: the rule by itself, over random histories, and with many people at once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.mptf import service
from services.mptf.meetings import schemas as meeting_schemas
from services.mptf.meetings import service as meetings
from services.mptf.meetings import slots
from services.mptf.models import ConceptNote, ConceptNoteHistory, Decision, Meeting
from services.mptf.schemas import ConceptNoteAction, NewConceptNote
from shared.auth import Caller
from tests.clients import Api
from tests.mptf.conftest import COMMITTEE, KENYA, OWNER, UNIT
from tests.mptf.content import complete
from tests.mptf.steps import MEETINGS, act, draft, eligible, plan, travel_to

DAYS = st.dates(date(2019, 8, 1), date(2060, 12, 31))
SIX_WEEKS = timedelta(days=42)

COORDINATOR = Caller(
    "rc", "RC Kenya", roles=frozenset({"resident_coordinator"}), entity="un-rco", countries=frozenset({"KEN"})
)
FMU = Caller("fmu", "FMU", roles=frozenset({"fund_management_unit"}), entity="un-iom")
MEMBER = Caller("member", "A member", roles=frozenset({"steering_committee"}), entity="gov-deu")


# ---------------------------------------------------------------- the rule by itself


@given(st.lists(DAYS, max_size=12), DAYS, st.none() | DAYS)
@example([date(2028, 2, 29), date(2028, 2, 28)], date(2028, 1, 18), None)
@example([date(2027, 1, 31), date(2027, 2, 1)], date(2026, 12, 21), None)
@example([date(2025, 2, 11)], date(2024, 12, 31), date(2025, 2, 11))
def test_the_slot_is_the_earliest_meeting_at_least_42_days_on_after_what_a_deferral_rules_out(
    planned: list[date], submitted: date, deferred: date | None
) -> None:
    found = slots.earliest([(day, uuid7(), day) for day in planned], submitted, deferred)
    fit = [day for day in planned if (day - submitted).days >= 42 and (deferred is None or day > deferred)]
    assert found == min(fit, default=None)


@given(DAYS)
def test_the_deadline_is_the_last_day_that_is_in_time(day: date) -> None:
    last = slots.deadline(day)
    assert slots.in_time_from(last) <= day < slots.in_time_from(last + timedelta(days=1))
    assert (day - last).days == 42


@pytest.mark.parametrize(
    ("submitted", "meeting", "in_time"),
    [
        ("2027-01-18", "2027-03-01", True),
        ("2027-01-19", "2027-03-01", False),
        ("2028-01-18", "2028-02-29", True),
        ("2028-01-19", "2028-03-01", True),
        ("2028-01-20", "2028-03-01", False),
        ("2026-12-31", "2027-02-11", True),
        ("2027-01-01", "2027-02-11", False),
    ],
)
async def test_six_weeks_are_right_to_the_day(api: Api, submitted: str, meeting: str, in_time: bool) -> None:
    day = date.fromisoformat(meeting)
    planned = await plan(api, day)
    later = await plan(api, day + timedelta(days=60))
    travel_to(date.fromisoformat(submitted))
    where = await draft(api)
    note = await act(api, where, "submit", KENYA)
    assert note["meeting"]["id"] == (planned if in_time else later)["id"]
    assert note["in_time_from"] == (date.fromisoformat(submitted) + SIX_WEEKS).isoformat()


# ---------------------------------------------------------------- random histories, beside a model


@dataclass
class Expected:
    """What the design says, in a few lines: notes with their days, meetings with theirs."""

    meetings: dict[UUID, date] = field(default_factory=dict)
    notes: dict[UUID, tuple[date, date | None]] = field(default_factory=dict)
    seen: dict[UUID, list[UUID | None]] = field(default_factory=dict)

    def settle(self) -> None:
        for note, (day, deferred) in self.notes.items():
            fit = [
                (on, meeting)
                for meeting, on in self.meetings.items()
                if (on - day).days >= 42 and (deferred is None or on > deferred)
            ]
            slot = min(fit)[1] if fit else None
            past = self.seen.setdefault(note, [None])
            if past[-1] != slot:
                past.append(slot)


Step = tuple[str, int, date]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["plan", "plan", "submit", "submit", "move", "cancel", "defer", "withdraw", "hold"]),
        st.integers(0, 20),
        st.dates(date(2027, 11, 1), date(2028, 4, 30)),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
async def test_each_change_gives_exactly_the_right_notes_a_new_slot_once(
    api: Api, database_urls: dict[str, str], steps: list[Step]
) -> None:
    with psycopg.connect(database_urls["mptf"]) as connection:
        connection.execute("TRUNCATE concept_notes, meetings CASCADE")
    expected = Expected()
    database = api.app.state.database  # type: ignore[attr-defined]
    for step in steps:
        async with database.sessions() as session:
            await _take(session, expected, *step)
            await session.commit()
        expected.settle()
        async with database.sessions() as session:
            await _compare(session, expected)


async def _take(session: AsyncSession, expected: Expected, kind: str, which: int, day: date) -> None:
    travel_to(day)
    of = list(expected.meetings)
    notes = [note for note in expected.notes if expected.seen[note][-1]] if kind == "defer" else list(expected.notes)
    match kind:
        case "plan":
            made = await meetings.plan(session, meeting_schemas.NewMeeting(date=day, title="Committee"), FMU)
            expected.meetings[made.id] = day
        case "submit":
            note = await service.create(session, NewConceptNote.model_validate(complete()), COORDINATOR)
            await slots.lock(session)
            await service.act(session, note, "submit", ConceptNoteAction(), COORDINATOR)
            expected.notes[note.id] = (day, None)
        case "move" if of:
            meeting = await _meeting(session, of[which % len(of)])
            if not await _decided(session, meeting):
                await meetings.change(session, meeting, meeting_schemas.MeetingChanges(date=day), FMU)
                expected.meetings[meeting.id] = day
        case "cancel" if of:
            meeting = await _meeting(session, of[which % len(of)])
            if not await _decided(session, meeting):
                await meetings.act(session, meeting, "cancel", meeting_schemas.MeetingAction(), FMU)
                del expected.meetings[meeting.id]
        case "hold" if of:
            meeting = await _meeting(session, of[which % len(of)])
            travel_to(meeting.date)
            await meetings.act(session, meeting, "hold", meeting_schemas.MeetingAction(), FMU)
            del expected.meetings[meeting.id]
        case "defer" if notes:
            chosen = notes[which % len(notes)]
            at = expected.meetings[expected.seen[chosen][-1] or uuid7()]
            travel_to(at)
            await slots.lock(session)
            await session.execute(update(ConceptNote).where(ConceptNote.id == chosen).values(status="eligible"))
            note = await service.find(session, chosen, MEMBER, lock=True)
            await service.act(session, note, "defer", ConceptNoteAction(comment="Later."), MEMBER)
            await session.execute(update(ConceptNote).where(ConceptNote.id == chosen).values(status="screening"))
            expected.notes[chosen] = (expected.notes[chosen][0], at)
        case "withdraw" if notes:
            chosen = notes[which % len(notes)]
            await slots.lock(session)
            note = await service.find(session, chosen, COORDINATOR, lock=True)
            await service.act(session, note, "withdraw", ConceptNoteAction(comment="No more."), COORDINATOR)
            del expected.notes[chosen]


async def _meeting(session: AsyncSession, meeting_id: UUID) -> Meeting:
    await slots.lock(session)
    return await meetings.find(session, meeting_id, lock=True)


async def _decided(session: AsyncSession, meeting: Meeting) -> bool:
    taken = await session.scalars(select(Decision.id).where(Decision.meeting_id == meeting.id))
    return taken.first() is not None


async def _compare(session: AsyncSession, expected: Expected) -> None:
    for note_id in expected.notes:
        note = await session.get(ConceptNote, note_id)
        assert note is not None
        assert note.meeting_id == expected.seen[note_id][-1]
        if note.meeting_id:
            assert note.meeting_on == expected.meetings[note.meeting_id]
        history = await _slot_steps(session, note_id)
        assert [None, *(_id(step.details["to"]) for step in history)] == expected.seen[note_id]
        assert all(step.details["cause"] for step in history)


async def _slot_steps(session: AsyncSession, note_id: UUID) -> Sequence[Any]:
    table = ConceptNoteHistory
    found = await session.scalars(
        select(table).where(table.record_id == note_id, table.action == "slot").order_by(table.id)
    )
    return found.all()


def _id(slot: dict[str, str] | None) -> UUID | None:
    return UUID(slot["id"]) if slot else None


# ---------------------------------------------------------------- many people at once


@pytest.mark.parametrize("turn", range(4))
async def test_people_who_plan_move_cancel_and_submit_at_once_leave_what_the_rule_says(api: Api, turn: int) -> None:
    start = date(2027, 10, 1) + timedelta(days=turn)
    travel_to(start)
    first, second = [await plan(api, start + timedelta(days=days)) for days in (50, 80)]
    drafts = [await draft(api) for _ in range(6)]
    for where in drafts[:3]:
        await act(api, where, "submit", KENYA)
    tag = (await api.get(f"{MEETINGS}/{second['id']}", by=UNIT)).headers["etag"]
    moved = (start + timedelta(days=45)).isoformat()
    done = await asyncio.gather(
        *(api.post(f"{where}/actions/submit", by=KENYA) for where in drafts[3:]),
        *(
            api.post(MEETINGS, by=UNIT, json={"date": (start + timedelta(days=days)).isoformat(), "title": "Committee"})
            for days in (43, 60, 41)
        ),
        api.patch(f"{MEETINGS}/{second['id']}", by=UNIT, json={"date": moved}, headers={"if-match": tag}),
        api.post(f"{MEETINGS}/{first['id']}/actions/cancel", by=UNIT),
        api.post(f"{drafts[0]}/actions/withdraw", by=OWNER, json={"comment": "No more."}),
        api.post(f"{drafts[1]}/actions/screen", by=UNIT),
    )
    assert [answer.status_code for answer in done] == [200] * 3 + [201] * 3 + [200] * 4
    planned = (await api.get(f"{MEETINGS}?status=planned", by=UNIT)).json()["items"]
    in_time = [each for each in planned if date.fromisoformat(each["date"]) >= start + SIX_WEEKS]
    earliest = min(in_time, key=lambda each: each["date"])
    assert (date.fromisoformat(earliest["date"]) - start).days == 43
    for where in drafts[1:]:
        note = (await api.get(where, by=OWNER)).json()
        assert note["meeting"] == {"id": earliest["id"], "date": earliest["date"]}
        steps = (await api.get(f"{where}/history?limit=100", by=OWNER)).json()["items"]
        chain = [step["details"] for step in steps if step["action"] == "slot"]
        ends = [(each["from"] or {}).get("id") for each in chain], [(each["to"] or {}).get("id") for each in chain]
        assert ends[0] == [None, *ends[1][:-1]]
        assert all(a != b for a, b in zip(*ends, strict=True))
    agenda = (await api.get(f"{MEETINGS}/{earliest['id']}", by=UNIT)).json()["agenda"]
    assert len(agenda) == 5


async def test_two_who_decide_at_once_decide_once(api: Api) -> None:
    where = await eligible(api)
    day = (await api.get(where, by=UNIT)).json()["meeting"]["date"]
    travel_to(date.fromisoformat(day))
    body = {"comment": "Because."}
    done = await asyncio.gather(
        *(
            api.post(f"{where}/actions/{action}", by=COMMITTEE, json=body)
            for action in ("select", "not_select", "defer")
        )
    )
    assert sorted(answer.status_code for answer in done) == [200, 409, 409]
    decided = (await api.get(f"{where}/decisions", by=COMMITTEE)).json()["items"]
    # A deferral that came first leaves the note eligible, but at a later day: nobody decides after it today.
    assert len(decided) == 1


# ---------------------------------------------------------------- deferrals, kept dates, what a meeting is


async def test_a_deferred_note_goes_to_the_next_meeting_and_never_back(api: Api) -> None:
    where = await eligible(api)
    note = (await api.get(where, by=UNIT)).json()
    day = date.fromisoformat(note["meeting"]["date"])
    travel_to(day)
    deferred = await act(api, where, "defer", COMMITTEE, comment="The budget is not clear.")
    assert deferred["status"] == "eligible"
    assert deferred["meeting"] is None
    await plan(api, day)  # another one on the same day is not after it
    assert (await api.get(where, by=UNIT)).json()["meeting"] is None
    following = await plan(api, day + timedelta(days=1))
    assert (await api.get(where, by=UNIT)).json()["meeting"]["id"] == following["id"]
    tag = (await api.get(f"{MEETINGS}/{note['meeting']['id']}", by=UNIT)).headers["etag"]
    held_fast = await api.patch(
        f"{MEETINGS}/{note['meeting']['id']}",
        by=UNIT,
        json={"date": (day + timedelta(days=2)).isoformat()},
        headers={"if-match": tag},
    )
    assert held_fast.status_code == 409
    assert (await api.post(f"{MEETINGS}/{note['meeting']['id']}/actions/cancel", by=UNIT)).status_code == 409
    # Moved before the day of the deferral, the next meeting is within reach no more.
    tag = (await api.get(f"{MEETINGS}/{following['id']}", by=UNIT)).headers["etag"]
    moved = await api.patch(
        f"{MEETINGS}/{following['id']}",
        by=UNIT,
        json={"date": (day - timedelta(days=1)).isoformat()},
        headers={"if-match": tag},
    )
    assert moved.status_code == 200, moved.text
    assert (await api.get(where, by=UNIT)).json()["meeting"] is None


async def test_the_unit_may_keep_the_date_of_an_earlier_submission(api: Api) -> None:
    start = date(2027, 5, 3)
    travel_to(start)
    near = await plan(api, start + SIX_WEEKS)
    far = await plan(api, start + SIX_WEEKS * 2)
    where = await draft(api)
    await act(api, where, "submit", KENYA)
    early = await api.post(f"{where}/actions/screen", by=UNIT, json={"keep_date": True})
    assert early.status_code == 409
    await act(api, where, "return", UNIT)
    assert (await api.get(where, by=OWNER)).json()["meeting"] is None
    travel_to(start + timedelta(days=1))
    again = await act(api, where, "submit", KENYA)
    assert again["meeting"]["id"] == far["id"]
    kept = await act(api, where, "screen", UNIT, keep_date=True)
    assert kept["meeting"]["id"] == near["id"]
    steps = (await api.get(f"{where}/history?limit=100", by=OWNER)).json()["items"]
    screened = next(step for step in steps if step["action"] == "screen")
    assert screened["details"] == {"counted_from": "2027-05-03", "instead_of": "2027-05-04"}


async def test_a_meeting_is_held_once_every_eligible_note_is_decided_and_others_roll_on(api: Api) -> None:
    where = await eligible(api)
    late = await draft(api)
    await act(api, late, "submit", KENYA)
    meeting = (await api.get(where, by=UNIT)).json()["meeting"]
    day = date.fromisoformat(meeting["date"])
    path = f"{MEETINGS}/{meeting['id']}"
    assert (await api.post(f"{path}/actions/hold", by=UNIT)).status_code == 409
    travel_to(day)
    assert (await api.post(f"{path}/actions/hold", by=UNIT)).status_code == 409
    assert (await api.post(f"{path}/actions/hold", by=COMMITTEE)).status_code == 403
    await act(api, where, "select", COMMITTEE, comment="It fills a gap.")
    following = await plan(api, day + timedelta(days=90))
    assert (await api.post(f"{path}/actions/hold", by=UNIT)).status_code == 200
    rolled = (await api.get(late, by=UNIT)).json()
    assert rolled["meeting"]["id"] == following["id"]
    steps = (await api.get(f"{late}/history?limit=100", by=OWNER)).json()["items"]
    assert "was held" in steps[-1]["details"]["cause"]
    held = (await api.get(path, by=UNIT)).json()
    assert held["actions"] == []
    assert [each["decision"] for each in held["decisions"]] == ["select"]
    tag = (await api.get(path, by=UNIT)).headers["etag"]
    assert (await api.patch(path, by=UNIT, json={"title": "x"}, headers={"if-match": tag})).status_code == 409
    minutes = {"text": "Opened at ten.", "quorum": {"present": 9, "needed": 7}}
    recorded = await api.post(f"{path}/minutes", by=UNIT, json=minutes)
    assert recorded.status_code == 201, recorded.text
    assert (await api.post(f"{path}/minutes", by=COMMITTEE, json=minutes)).status_code == 403
    second = await api.post(f"{path}/minutes", by=UNIT, json={**minutes, "text": "Opened at eleven."})
    assert second.json()["number"] == 2
    listed = (await api.get(f"{path}/minutes?limit=1&total=true", by=COMMITTEE)).json()
    assert listed["total"] == 2
    assert (await api.get(f"{path}/minutes", by=OWNER)).status_code == 403
    assert (await api.get(path)).json()["quorum"] == {"present": 9, "needed": 7, "met": True}
