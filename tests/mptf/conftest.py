"""The Migration MPTF with its own database, and the people around it."""

from collections.abc import AsyncIterator, Callable, Iterator

import psycopg
import pytest

from services.mptf.app import create_app
from shared import clock
from tests.clients import Api, running, token
from tools import database, migrate


@pytest.fixture(scope="session")
def database_urls(new_database: Callable[[], str]) -> dict[str, str]:
    """As everywhere, but only this service's schema is migrated."""
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade({"mptf": urls["mptf"]})
    return urls


@pytest.fixture(scope="session")
async def api(database_urls: dict[str, str], jwks_url: str) -> AsyncIterator[Api]:
    async with running(create_app, database_urls["mptf"], jwks_url, run_worker=False) as client:
        yield client


@pytest.fixture(autouse=True)
def fresh(database_urls: dict[str, str]) -> Iterator[None]:
    """Each test starts today with no notes, meetings or money: which meeting considers a note depends on all."""
    with psycopg.connect(database_urls["mptf"]) as connection:
        connection.execute("TRUNCATE concept_notes, meetings, contributions CASCADE")
        connection.execute("TRUNCATE idempotency_keys, procrastinate_jobs CASCADE")
    yield
    clock.configure(0)


KENYA = token("rc-kenya", roles=["resident_coordinator"], entity="un-rco-kenya", countries=["KEN"])
UGANDA = token("rc-uganda", roles=["resident_coordinator"], entity="un-rco-uganda", countries=["UGA"])
PERU = token("rc-peru", roles=["resident_coordinator"], entity="un-rco-peru", countries=["PER"])
OWNER = token("olga", entity="un-rco-kenya")
UNIT = token("femi", roles=["fund_management_unit"], entity="un-iom-fmu")
COMMITTEE = token("carla", roles=["steering_committee"], entity="gov-deu")
OWN_COMMITTEE = token("kofi", roles=["steering_committee"], entity="un-rco-kenya")
SECRETARIAT = token("sofia", roles=["secretariat"], entity="un-network")
PARTNER = token("ines", entity="un-ilo")
OUTSIDER = token("otto", entity="gov-per")
REVIEWER = token("ravi", roles=["reviewer"], entity="org-x")
