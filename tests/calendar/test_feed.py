"""The subscription: what RFC 5545 and 7986 ask for, and the same days that `occurrences` gives."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.calendar.conftest import SECRETARIAT
from tests.calendar.days import answered, occurrences, read
from tests.clients import Api

ZONES = ["UTC", "Africa/Nairobi", "America/New_York", "Europe/Zurich", "Asia/Kathmandu", "Australia/Lord_Howe"]
FIRST, LAST = date(2021, 1, 1), date(2031, 1, 1)


async def publish(api: Api, **content: Any) -> dict[str, Any]:
    event = {"title": "A date", "kind": "key_date", **content, "publish": True}
    made = await api.post("/v1/calendar/events", by=SECRETARIAT, json=event)
    assert made.status_code == 201, made.text
    record: dict[str, Any] = made.json()
    return record


@st.composite
def whole_days(draw: st.DrawFn) -> dict[str, Any]:
    first = draw(
        st.dates(date(2019, 1, 1), date(2031, 6, 1))
        | st.sampled_from([date(2020, 2, 29), date(2024, 2, 29), date(2023, 12, 31), date(2024, 1, 1)])
    )
    last = first + timedelta(days=draw(st.integers(0, 30)))
    recurrence = draw(st.sampled_from(["none", "annual"]))
    return {"starts_on": first.isoformat(), "ends_on": last.isoformat(), "recurrence": recurrence}


@st.composite
def hours(draw: st.DrawFn) -> dict[str, Any]:
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    near_changes = [datetime(2026, 3, 28, 23, 0), datetime(2026, 10, 25, 2, 30), datetime(2027, 3, 14, 1, 30)]  # noqa: DTZ001
    moment = draw(st.datetimes(datetime(2019, 1, 1), datetime(2031, 6, 1)) | st.sampled_from(near_changes))  # noqa: DTZ001
    starts = moment.replace(microsecond=0, tzinfo=zone)
    ends = starts + timedelta(minutes=draw(st.integers(15, 60 * 60)))
    recurrence = draw(st.sampled_from(["none", "annual"]))
    return {
        "starts_at": starts.isoformat(),
        "ends_at": ends.isoformat(),
        "timezone": zone.key,
        "recurrence": recurrence,
    }


@st.composite
def known_in_part(draw: st.DrawFn) -> dict[str, Any]:
    month = f"{draw(st.integers(2020, 2031))}-{draw(st.integers(1, 12)):02d}"
    return {"starts_on": draw(st.sampled_from([month, month[:4]]))}


lead = 0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    dates=st.lists(whole_days() | hours() | known_in_part(), min_size=1, max_size=5),
    series=st.lists(st.booleans(), min_size=5, max_size=5),
)
async def test_feed_and_occurrences_give_the_same_days_over_ten_years(
    api: Api, dates: list[dict[str, Any]], series: list[bool]
) -> None:
    global lead  # noqa: PLW0603 - each example has a lead of its own
    lead += 1
    name = f"Lead {lead}"
    for number, when in enumerate(dates):
        edition = {"series": f"series-{lead}"} if series[number] else {}
        await publish(api, title=f"Date {number}", lead_entities=[{"name": name}], **when, **edition)
    feed = await api.get("/v1/calendar/feed.ics", params={"lead": name})
    assert read(feed.content, FIRST, LAST) == await answered(api, FIRST, LAST, lead=name)


async def test_the_seeded_calendar_gives_the_same_days(seeded: Api) -> None:
    feed = await seeded.get("/v1/calendar/feed.ics")
    for first, last in ((date(2018, 1, 1), date(2027, 12, 31)), (date(2021, 2, 1), date(2021, 2, 28))):
        days = await answered(seeded, first, last)
        assert read(feed.content, first, last) == days
        assert len(days) > 1


async def test_the_feed_is_written_as_the_rfcs_ask(api: Api) -> None:
    title = "Réunion; with commas, and é" * 6
    event = await publish(
        api,
        title=title,
        starts_on="2027-04-26",
        ends_on="2027-04-30",
        lead_entities=["FAO"],
        description="One line\nanother, with a comma",
        url="https://migrationnetwork.un.org/",
    )
    answer = await api.get("/v1/calendar/feed.ics", params={"lead": "fao"})
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    body = answer.content
    lines = body.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2:] == [b"END:VCALENDAR", b""]
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert max(len(line) for line in lines) <= 75
    assert b"METHOD" not in body
    for line in (b"VERSION:2.0", b"NAME:UN Network on Migration", b"REFRESH-INTERVAL;VALUE=DURATION:PT6H"):
        assert line in lines
    assert b"X-PUBLISHED-TTL:PT6H" in lines
    calendar = icalendar.Calendar.from_ical(body)
    [component] = calendar.events
    assert component["uid"] == event["id"]
    assert component["summary"] == title
    assert component.start == date(2027, 4, 26)
    assert component.end == date(2027, 5, 1)
    assert component["status"] == "CONFIRMED"
    assert component["transp"] == "TRANSPARENT"
    assert component["dtstamp"].dt == component["last-modified"].dt  # type: ignore[union-attr]
    assert "One line\nanother, with a comma" in str(component["description"])
    assert not component.errors


async def test_hours_come_with_their_zone(api: Api) -> None:
    await publish(
        api,
        starts_at="2027-07-01T10:00:00-04:00",
        ends_at="2027-07-01T11:30:00-04:00",
        timezone="America/New_York",
        recurrence="annual",
        lead_entities=["UNOPS"],
    )
    feed = (await api.get("/v1/calendar/feed.ics", params={"lead": "UNOPS"})).text
    assert "DTSTART;TZID=America/New_York:20270701T100000" in feed
    assert feed.count("BEGIN:VTIMEZONE") == 1
    shown = await occurrences(api, date(2028, 1, 1), date(2028, 12, 31), lead="UNOPS")
    assert [(o["starts_at"], o["ends_at"]) for o in shown] == [
        ("2028-07-01T10:00:00-04:00", "2028-07-01T11:30:00-04:00")
    ]


async def test_a_month_is_tentative_and_says_so(api: Api) -> None:
    await publish(api, title="A week", starts_on="2027-02", lead_entities=["UNV"])
    await publish(api, title="A year", starts_on="2028", lead_entities=["UNV"])
    await publish(api, title="A day", starts_on="2029-02-03", date_status="tbc", lead_entities=["UNV"])
    calendar = icalendar.Calendar.from_ical((await api.get("/v1/calendar/feed.ics", params={"lead": "UNV"})).content)
    told = {str(e["summary"]): (e["status"], e.start, e.end) for e in calendar.events}
    assert told == {
        "A week (February 2027, day to be confirmed)": ("TENTATIVE", date(2027, 2, 1), date(2027, 3, 1)),
        "A year (2028, day to be confirmed)": ("TENTATIVE", date(2028, 1, 1), date(2029, 1, 1)),
        "A day (date to be confirmed)": ("TENTATIVE", date(2029, 2, 3), date(2029, 2, 4)),
    }


async def test_an_edition_takes_the_place_of_that_year_s_occurrence(api: Api) -> None:
    rule = await publish(
        api, title="A day", starts_on="2021-12-18", recurrence="annual", series="the-day", lead_entities=["IOM"]
    )
    edition = await publish(
        api, title="A day, on a Monday", starts_on="2027-12-20", series="the-day", lead_entities=["ILO"]
    )
    shown = await occurrences(api, date(2026, 1, 1), date(2028, 12, 31), series="the-day")
    assert [(o["starts_on"], o["event_id"]) for o in shown] == [
        ("2026-12-18", rule["id"]),
        ("2027-12-20", edition["id"]),
        ("2028-12-18", rule["id"]),
    ]
    assert shown[1]["lead_entities"][0]["name"] == "ILO"
    feed = await api.get("/v1/calendar/feed.ics", params={"series": "the-day"})
    assert b"EXDATE;VALUE=DATE:20271218" in feed.content
    by_uid = {str(e["uid"]): e for e in icalendar.Calendar.from_ical(feed.content).events}
    # Subscribers are told of the day that falls away.
    assert by_uid[rule["id"]]["sequence"] == 1


async def test_sequence_counts_what_subscribers_see(api: Api) -> None:
    event = await publish(api, starts_on="2027-05-05", lead_entities=["UNITAR"])
    where = f"/v1/calendar/events/{event['id']}"

    async def sequence() -> tuple[int, str]:
        calendar = icalendar.Calendar.from_ical((await api.get(f"{where}.ics")).content)
        [component] = calendar.events
        return component.sequence, str(component["status"])

    assert await sequence() == (0, "CONFIRMED")
    tag = (await api.get(where, by=SECRETARIAT)).headers["etag"]
    await api.patch(where, by=SECRETARIAT, json={"location": "Nairobi"}, headers={"if-match": tag})
    assert await sequence() == (1, "CONFIRMED")
    move = {"starts_on": "2027-05-06", "comment": "Moved"}
    assert (await api.post(f"{where}/actions/reschedule", by=SECRETARIAT, json=move)).status_code == 200
    assert await sequence() == (2, "CONFIRMED")
    assert (await api.post(f"{where}/actions/cancel", by=SECRETARIAT, json={"comment": "Off"})).status_code == 200
    assert await sequence() == (3, "CANCELLED")
    shown = await occurrences(api, date(2027, 5, 1), date(2027, 5, 31), lead="UNITAR")
    assert [o["status"] for o in shown] == ["cancelled"]


async def test_what_was_cancelled_stays_for_half_a_year(api: Api, travel: Any) -> None:
    event = await publish(api, starts_on="2029-05-05", lead_entities=["UNU"])
    where = f"/v1/calendar/events/{event['id']}"
    assert (await api.post(f"{where}/actions/cancel", by=SECRETARIAT, json={"comment": "Off"})).status_code == 200
    for days, there in ((0, 1), (179, 1), (181, 0)):
        travel(days)
        feed = await api.get("/v1/calendar/feed.ics", params={"lead": "UNU"})
        assert feed.content.count(b"STATUS:CANCELLED") == there, days
    # The record stays, and so does its own file.
    assert (await api.get(where)).json()["status"] == "cancelled"
    assert b"STATUS:CANCELLED" in (await api.get(f"{where}.ics")).content


async def test_a_program_that_asks_again_is_spared_the_feed(api: Api) -> None:
    await publish(api, starts_on="2027-06-06", lead_entities=["UNRWA"])
    parameters = {"lead": "UNRWA"}
    first = await api.get("/v1/calendar/feed.ics", params=parameters)
    headers = {"if-none-match": first.headers["etag"]}
    again = await api.get("/v1/calendar/feed.ics", params=parameters, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    await publish(api, starts_on="2027-06-07", lead_entities=["UNRWA"])
    changed = await api.get("/v1/calendar/feed.ics", params=parameters, headers=headers)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
    assert "max-age" in changed.headers["cache-control"]


async def test_a_feed_of_some_days_has_what_touches_them(api: Api) -> None:
    inside = await publish(api, starts_on="2026-12-31", ends_on="2027-01-02", lead_entities=["WMO"])
    yearly = await publish(
        api, starts_on="2020-12-30", ends_on="2021-01-02", recurrence="annual", lead_entities=["WMO"]
    )
    await publish(api, starts_on="2027-01-03", lead_entities=["WMO"])
    await publish(api, starts_on="2020-01-05", recurrence="annual", lead_entities=["WMO"])
    some = {"from": "2027-01-01", "to": "2027-01-02", "lead": "WMO"}
    feed = await api.get("/v1/calendar/feed.ics", params=some)
    found = {str(e["uid"]) for e in icalendar.Calendar.from_ical(feed.content).events}
    assert found == {inside["id"], yearly["id"]}


async def test_an_event_that_is_not_public_has_no_file(api: Api) -> None:
    made = await api.post("/v1/calendar/events", by=SECRETARIAT, json={"title": "Not yet", "starts_on": "2027-01-01"})
    answer = await api.get(f"/v1/calendar/events/{made.json()['id']}.ics")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
