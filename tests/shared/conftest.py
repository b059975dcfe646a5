"""What the services share is tested through the pledges service: the one that uses all of it."""

from collections.abc import AsyncIterator

import pytest

from services.pledges.app import create_app
from tests.clients import Api, running, token

KENYA = token("amina", entity="gov-ken")


@pytest.fixture(scope="session")
async def api(database_urls: dict[str, str], jwks_url: str) -> AsyncIterator[Api]:
    async with running(create_app, database_urls["pledges"], jwks_url) as client:
        yield client
