"""The practices service with its own database, and the people around it."""

from collections.abc import AsyncIterator

import pytest

from services.practices.app import create_app
from tests.clients import Api, running, token


@pytest.fixture(scope="session")
async def api(database_urls: dict[str, str], jwks_url: str) -> AsyncIterator[Api]:
    async with running(create_app, database_urls["practices"], jwks_url, run_worker=False) as client:
        yield client


OWNER = token("lucia", entity="org-puente")
COLLEAGUE = token("mateo", entity="org-puente")
OTHER = token("rosa", entity="org-otra")
SECRETARIAT = token("sofia", roles=["secretariat"], entity="un-iom")
NOBODY = token("nobody")
