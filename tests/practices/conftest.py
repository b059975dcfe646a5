"""The practices service with its own database, and the people around it."""

from collections.abc import AsyncIterator

import pytest

from services.practices.app import create_app
from tests.clients import Api, running
from tests.practices.people import Person


@pytest.fixture(scope="session")
async def api(database_urls: dict[str, str], jwks_url: str) -> AsyncIterator[Api]:
    async with running(create_app, database_urls["practices"], jwks_url, run_worker=False) as client:
        yield client


@pytest.fixture(scope="session")
async def panel(api: Api) -> list[Person]:
    """One internal and two external reviewers: what a round needs."""
    people = [Person("una", "internal"), Person("eva", "external"), Person("ezra", "external")]
    return [await person.enrol(api) for person in people]


@pytest.fixture(scope="session")
async def further(api: Api) -> list[Person]:
    """Two more."""
    people = [Person("elif", "external", country="PER"), Person("ulf", "internal", country="FRA")]
    return [await person.enrol(api) for person in people]
