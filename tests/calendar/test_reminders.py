"""Mail that really leaves: reminders to leads by the policy's days, and decisions to suggesters."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from services.calendar.app import create_app
from shared import clock, jobs
from tests.calendar.conftest import KENYA, NOBODY, SECRETARIAT
from tests.clients import Api, running
from tools import database, migrate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
async def posting(new_database: Callable[[], str], jwks_url: str, folder: Path) -> AsyncIterator[Api]:
    """The service with its worker, which puts mail into a folder."""
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade({"calendar": urls["calendar"]})
    async with running(create_app, urls["calendar"], jwks_url, data_dir=folder) as client:
        yield client


async def mails(folder: Path, count: int) -> list[EmailMessage]:
    """So many mails, once they are there; the folder is empty afterwards."""
    for _ in range(600):
        found = sorted((folder / "mail").glob("*.eml"))
        if len(found) >= count:
            break
        await asyncio.sleep(0.05)
    read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]
    for path in found:
        path.unlink()
    assert len(read) == count
    return [message for message in read if isinstance(message, EmailMessage)]


async def remind(api: Api) -> None:
    """Have the daily task done now, and wait until it is."""
    sessions = api.app.state.database.sessions  # type: ignore[attr-defined]
    async with sessions.begin() as session:
        await jobs.defer(session, "calendar.remind")
    for _ in range(600):
        async with sessions() as session:
            connection = await session.connection()
            waiting = await connection.exec_driver_sql(
                "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'failed'"
            )
            if waiting.scalar_one() == 0:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("the job was not done")


async def publish(api: Api, title: str, **content: Any) -> dict[str, Any]:
    event = {"title": title, "kind": "key_date", **content, "publish": True}
    made = await api.post("/v1/calendar/events", by=SECRETARIAT, json=event)
    assert made.status_code == 201, made.text
    record: dict[str, Any] = made.json()
    return record


async def name(api: Api, entity: str, email: str) -> None:
    named = await api.put(
        f"/v1/calendar/focal-points/{entity}", by=SECRETARIAT, json={"name": f"{entity} focal point", "email": email}
    )
    assert named.status_code == 200, named.text


def day(days: int) -> str:
    return (clock.today() + timedelta(days=days)).isoformat()


async def test_leads_are_reminded_42_and_14_days_before_and_once(
    posting: Api, folder: Path, travel: Callable[[int], None]
) -> None:
    await name(posting, "un-ilo", "ilo@example.org")
    await name(posting, "un-who", "who@example.org")
    event = await publish(posting, "Forty-two", starts_on=day(42), lead_entities=["ILO", "WHO", "IPU"])
    await publish(posting, "Yearly", starts_on=f"2021{day(42)[4:]}", recurrence="annual", lead_entities=["ILO"])
    await publish(posting, "Not yet", starts_on=day(43), lead_entities=["ILO"])
    off = await publish(posting, "Off", starts_on=day(42), lead_entities=["ILO"])
    cancel = await posting.post(
        f"/v1/calendar/events/{off['id']}/actions/cancel", by=SECRETARIAT, json={"comment": "Off"}
    )
    assert cancel.status_code == 200
    # Somebody else leads this year: the statement says so.
    plan = {"title": "Yearly, by WHO", "occurs_on": day(14), "lead_entities": ["WHO"]}
    assert (await posting.post("/v1/calendar/statements", by=SECRETARIAT, json=plan)).status_code == 201

    await remind(posting)
    sent = await mails(folder, 4)
    told = sorted((str(mail["To"]), str(mail["Subject"])) for mail in sent)
    assert told == [
        ("ilo@example.org", "In 42 days: Forty-two"),
        ("ilo@example.org", "In 42 days: Yearly"),
        ("who@example.org", "In 14 days: Yearly, by WHO"),
        ("who@example.org", "In 42 days: Forty-two"),
    ]
    states = {str(mail["Subject"]): mail.get_content().rpartition("stands: ")[2].strip() for mail in sent}
    assert states["In 42 days: Forty-two"] == "not planned."
    assert states["In 14 days: Yearly, by WHO"] == "planned."
    await remind(posting)
    await mails(folder, 0)

    travel(28)
    await remind(posting)
    again = {str(mail["Subject"]) for mail in await mails(folder, 3)}
    assert again == {"In 14 days: Forty-two", "In 14 days: Yearly"}
    # And whoever leads now, once the event has a new day.
    move = {"starts_on": day(20), "comment": "Moved"}
    where = f"/v1/calendar/events/{event['id']}/actions/reschedule"
    assert (await posting.post(where, by=SECRETARIAT, json=move)).status_code == 200
    travel(34)
    await remind(posting)
    assert "In 14 days: Forty-two" in {str(mail["Subject"]) for mail in await mails(folder, 2)}


async def test_the_suggester_is_told_of_the_decision(posting: Api, folder: Path) -> None:
    decisions = (
        ("publish", KENYA, "amina@labour.example", "is in the calendar"),
        ("decline", NOBODY, "nadia@example.org", "not taken up"),
    )
    for action, by, address, words in decisions:
        event = {"title": "Told", "kind": "webinar", "starts_on": "2030-01-01"}
        made = (await posting.post("/v1/calendar/events", by=by, json=event)).json()
        decided = await posting.post(
            f"/v1/calendar/events/{made['id']}/actions/{action}", by=SECRETARIAT, json={"comment": "Thank you"}
        )
        assert decided.status_code == 200, decided.text
        [mail] = await mails(folder, 1)
        assert mail["To"] == address
        assert words in mail["Subject"]
        assert made["reference"] in mail["Subject"]
        assert "Thank you" in mail.get_content()


async def test_focal_points_are_the_secretariat_s_to_see(posting: Api) -> None:
    where = "/v1/calendar/focal-points/un-fao"
    assert (await posting.get("/v1/calendar/focal-points")).status_code == 401
    assert (await posting.get("/v1/calendar/focal-points", by=KENYA)).status_code == 403
    assert (await posting.get(where, by=SECRETARIAT)).status_code == 404
    await name(posting, "un-fao", "first@example.org")
    await name(posting, "un-fao", "second@example.org")
    shown = await posting.get(where, by=SECRETARIAT)
    assert shown.json() == {"name": "un-fao focal point", "email": "second@example.org", "entity": "un-fao"}
    assert shown.headers["cache-control"] == "private, no-store"
    listed = (await posting.get("/v1/calendar/focal-points", by=SECRETARIAT, params={"total": True})).json()
    assert shown.json() in listed["items"]
    assert (await posting.delete(where, by=SECRETARIAT)).status_code == 428
    headers = {"if-match": shown.headers["etag"]}
    assert (await posting.delete(where, by=SECRETARIAT, headers=headers)).status_code == 204
    assert (await posting.get(where, by=SECRETARIAT)).status_code == 404
