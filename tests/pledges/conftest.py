"""The pledges service with its own database, and the people around it."""

from collections.abc import AsyncIterator

import pytest

from services.pledges.app import create_app
from tests.clients import Api, running, token


@pytest.fixture(scope="session")
async def api(database_urls: dict[str, str], jwks_url: str) -> AsyncIterator[Api]:
    async with running(create_app, database_urls["pledges"], jwks_url) as client:
        yield client


KENYA = token("amina", entity="gov-ken")
COLLEAGUE = token("juma", entity="gov-ken")
PERU = token("rosa", entity="gov-per")
SECRETARIAT = token("sofia", roles=["secretariat"], entity="un-iom")
NOBODY = token("nobody")
REVIEWER = token("ravi", roles=["reviewer"], entity="org-x")
