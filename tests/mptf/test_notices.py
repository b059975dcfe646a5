"""Notices as a real SMTP server receives them from a worker in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg

from services.mptf.notices import remind
from shared import clock
from shared.database import Database
from tests.clients import Api
from tests.mptf.conftest import COMMITTEE, KENYA, UNIT
from tests.mptf.content import MET
from tests.mptf.steps import MEETINGS, act, draft, plan, travel_to
from tests.shared.test_mail import free_port, received, smtp_server
from tests.shared.workers import ROOT, until

CONTACT = "amina.otieno@un.example"
DESK = "fmu@fund.example"


@contextmanager
def worker(url: str, smtp: str) -> Iterator[None]:
    given = {
        "ENVIRONMENT": "development",
        "MPTF_DATABASE_URL": url,
        "SMTP_URL": smtp,
        "FUND_MANAGEMENT_UNIT_MAIL": DESK,
        "PUBLIC_URL": "https://fund.example",
    }
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "shared.worker", "services.mptf.app"]
    process = subprocess.Popen(command, cwd=ROOT, env={**inherited, **given})
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def waiting(url: str) -> list[dict[str, Any]]:
    """The mails that wait to be sent, in the order of their cause."""
    with psycopg.connect(url) as connection:
        mails = "SELECT args FROM procrastinate_jobs WHERE task_name = 'mail.send' AND status IN ('todo', 'doing')"
        return [row[0] for row in connection.execute(f"{mails} ORDER BY id")]


def forget(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE procrastinate_jobs CASCADE")


async def test_a_notes_people_and_the_unit_hear_of_every_turn(
    api: Api, database_urls: dict[str, str], tmp_path: Path
) -> None:
    url = database_urls["mptf"]
    start = clock.today()
    first = await plan(api, start + timedelta(days=42))
    where = await draft(api, title="Fair\nrecruitment")
    await act(api, where, "submit", KENYA)
    await act(api, where, "return", UNIT, comment="Say more about sustainability.")
    await act(api, where, "submit", KENYA)
    await plan(api, start + timedelta(days=90))
    await api.post(f"{MEETINGS}/{first['id']}/actions/cancel", by=UNIT)
    await act(api, where, "screen", UNIT)
    assert (await api.put(f"{where}/assessment", by=UNIT, json=MET)).status_code == 200
    await act(api, where, "find_eligible", UNIT)
    travel_to(start + timedelta(days=90))
    await act(api, where, "select", COMMITTEE, comment="It fills a gap.")
    told = [(each["to"], each["template"]) for each in waiting(url)]
    assert told == [
        (CONTACT, "slotted"),
        ("fund_management_unit", "arrived"),
        (CONTACT, "returned"),
        (CONTACT, "slotted"),
        ("fund_management_unit", "arrived"),
        (CONTACT, "moved"),
        (CONTACT, "decided"),
        (CONTACT, "decided"),
    ]
    with smtp_server(tmp_path, free_port()) as smtp, worker(url, smtp):
        await until(lambda: not waiting(url), 60)
    mails = received(tmp_path)
    assert len(mails) == len(told)
    reference = (await api.get(where)).json()["reference"]
    returned = next(each for each in mails if "changes" in each["subject"])
    text = _text(returned)
    assert "Say more about sustainability." in text
    assert f"https://fund.example{where}" in text
    assert {each["to"] for each in mails} == {CONTACT, DESK}
    assert all(str(each["subject"]).startswith(reference) for each in mails)
    moved = next(each for each in mails if "now considered on" in each["subject"])
    assert "was cancelled" in _text(moved)


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


async def test_a_note_that_stays_on_a_moved_meeting_is_told_the_new_day(
    api: Api, database_urls: dict[str, str]
) -> None:
    start = clock.today()
    meeting = await plan(api, start + timedelta(days=50))
    where = await draft(api)
    await act(api, where, "submit", KENYA)
    forget(database_urls["mptf"])
    path = f"{MEETINGS}/{meeting['id']}"
    tag = (await api.get(path, by=UNIT)).headers["etag"]
    day = (start + timedelta(days=60)).isoformat()
    assert (await api.patch(path, by=UNIT, json={"date": day}, headers={"if-match": tag})).status_code == 200
    (told,) = waiting(database_urls["mptf"])
    assert (told["template"], told["values"]["meeting"]) == ("moved", day)
    assert (await api.get(where, by=UNIT)).json()["meeting"]["date"] == day


async def test_a_refused_action_tells_nobody(api: Api, database_urls: dict[str, str]) -> None:
    where = await draft(api, contact=None)
    assert (await api.post(f"{where}/actions/submit", by=KENYA)).status_code == 422
    assert waiting(database_urls["mptf"]) == []


async def test_a_deadline_is_told_once_two_weeks_before_it(api: Api, database_urls: dict[str, str]) -> None:
    url = database_urls["mptf"]
    meeting = await plan(api, date(2028, 3, 1))
    await draft(api)
    database = Database(url, pool_size=2)
    job: Any = SimpleNamespace(database=database)

    async def told_on(day: date) -> list[str]:
        forget(url)
        travel_to(day)
        await remind(job)
        return sorted(each["to"] for each in waiting(url) if each["template"] == "deadline")

    everybody = sorted([CONTACT, "fund_management_unit"])
    assert await told_on(date(2028, 1, 4)) == []
    assert await told_on(date(2028, 1, 5)) == everybody
    assert waiting(url)[0]["values"]["deadline"] == "2028-01-19"
    assert await told_on(date(2028, 1, 6)) == []
    path = f"{MEETINGS}/{meeting['id']}"
    tag = (await api.get(path, by=UNIT)).headers["etag"]
    moved = await api.patch(path, by=UNIT, json={"date": "2028-03-05"}, headers={"if-match": tag})
    assert moved.status_code == 200
    assert await told_on(date(2028, 1, 20)) == everybody
    assert await told_on(date(2028, 1, 24)) == []
    await database.close()
