"""The calendar service with its own database, and the people around it."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from services.calendar.app import create_app
from services.calendar.seed import seed
from shared import clock
from tests.clients import Api, running, token
from tools import database, migrate


@pytest.fixture(scope="session")
async def api(database_urls: dict[str, str], jwks_url: str) -> AsyncIterator[Api]:
    """The service with a calendar that is empty at first."""
    async with running(create_app, database_urls["calendar"], jwks_url, run_worker=False) as client:
        yield client


@pytest.fixture(scope="session")
async def seeded(new_database: Callable[[], str], jwks_url: str) -> AsyncIterator[Api]:
    """The service with the key dates and events that are known; tests read these, and change none of them."""
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade({"calendar": urls["calendar"]})
    async with running(create_app, urls["calendar"], jwks_url, run_worker=False) as client:
        await seed(client.app.state.database, samples=False)  # type: ignore[attr-defined]
        yield client


SECRETARIAT = token("sofia", roles=["secretariat"], entity="un-iom")
KENYA = token("amina", entity="gov-ken", email="amina@labour.example")
PERU = token("rosa", entity="gov-per")
NOBODY = token("nadia", email="nadia@example.org")
UNODC = token("ulla", entity="un-unodc")


@pytest.fixture
def travel() -> Iterator[Callable[[int], None]]:
    """Move the domain's day by so many; it is today again afterwards."""
    yield clock.configure
    clock.configure(0)
