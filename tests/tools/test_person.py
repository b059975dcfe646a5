"""What is held of one person can be shown and taken out; what they did for others stays, without their name."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from services.pledges.app import create_app
from services.pledges.models import IdempotencyKey, Pledge
from shared import clock
from shared.jobs import Job
from shared.retention import forgetting
from tests.clients import Api, running, token
from tests.pledges.content import complete

EMAIL = "baraka.unique@labour.example"
BARAKA = token("baraka-unique", entity="gov-ken", name="Baraka Unique")


@pytest.fixture(scope="module")
async def api(database_urls: dict[str, str], jwks_url: str) -> AsyncIterator[Api]:
    async with running(create_app, database_urls["pledges"], jwks_url) as client:
        yield client


def told(urls: dict[str, str], what: str, person: str) -> dict[str, object]:
    environment = os.environ | {f"{name.upper()}_DATABASE_URL": url for name, url in urls.items()}
    command = [sys.executable, "-m", "tools.person", what, person]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, object] = json.loads(ran.stdout)
    return found


async def test_a_person_is_shown_and_erased(api: Api, database_urls: dict[str, str]) -> None:
    contact = {"name": "Baraka Unique", "email": EMAIL, "phone": "+254 20 555 0101"}
    made = await api.post("/v1/pledges", by=BARAKA, json=complete(contact=contact), headers={"idempotency-key": "p1"})
    where = made.headers["location"]
    shown = told(database_urls, "export", EMAIL)
    assert EMAIL in json.dumps(shown["pledges.pledges"])
    assert told(database_urls, "export", "baraka-unique")["pledges.pledge_history"]

    assert told(database_urls, "erase", EMAIL)["pledges.pledges"] == 1
    told(database_urls, "erase", "baraka-unique")
    assert told(database_urls, "export", EMAIL) == {}
    assert told(database_urls, "export", "baraka-unique") == {}
    record = (await api.get(where, by=token("juma", entity="gov-ken"))).json()
    assert record["contact"] in (None, {"name": None, "email": None, "phone": None})
    history = (await api.get(f"{where}/history", by=token("juma", entity="gov-ken"))).json()["items"]
    assert [step["action"] for step in history] == ["create"]
    assert "Baraka" not in json.dumps(history)


async def test_contacts_are_forgotten_two_years_after_the_end(api: Api) -> None:
    made = await api.post("/v1/pledges", by=BARAKA, json=complete())
    where = made.headers["location"]
    await api.post(f"{where}/actions/withdraw", by=BARAKA, json={"comment": "Overtaken."})
    job = Job(id=1, attempt=1, database=api.app.state.database, settings=api.app.state.settings)
    forget = forgetting(Pledge, ("withdrawn", "declined"), IdempotencyKey)
    try:
        for days, kept in ((0, True), (729, True), (733, False)):
            clock.configure(days)
            await forget(job)
            assert bool((await api.get(where, by=BARAKA)).json()["contact"]) is kept, days
    finally:
        clock.configure(0)
    history = (await api.get(f"{where}/history", by=BARAKA)).json()["items"]
    assert history[-1]["action"] == "erase_contact"
