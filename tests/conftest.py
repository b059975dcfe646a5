"""What every test may ask for: a real PostgreSQL, and databases in it that are ready to use."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from shared import logs
from tests import clients
from tools import database, migrate, postgres

# As in a process: one line a record, and no trace that prints what a person wrote.
logs.configure()

# Quick rather than safe: what a test server holds ends with the session.
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def admin_url() -> Iterator[str]:
    """An administrator's URL: TEST_DATABASE_URL, else DATABASE_URL, else a server for this session alone."""
    if given := os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL"):
        yield given
        return
    # Not pytest's tmp_path: for root it is closed to the account that the server runs as.
    with (
        tempfile.TemporaryDirectory(prefix="gcm-test-", dir="/tmp") as folder,
        postgres.running(Path(folder), settings=UNSAFE, say=lambda line: None, durable=False) as url,
    ):
        yield url


@pytest.fixture(scope="session")
def new_database(admin_url: str) -> Iterator[Callable[[], str]]:
    """Call it for the admin's URL of a database nobody has used; it and its roles go with the session."""
    made: list[str] = []

    def of(name: str) -> str:
        return make_url(admin_url).set(database=name).render_as_string(hide_password=False)

    def make() -> str:
        name = f"test_{os.getpid()}_{len(made)}"
        made.append(name)
        return of(name)

    yield make
    with psycopg.connect(of("postgres"), autocommit=True) as admin:
        for name in made:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            for service in database.SERVICES:
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{name}_{service}")))


@pytest.fixture(scope="session")
def database_urls(new_database: Callable[[], str]) -> dict[str, str]:
    """Each service's URL of one migrated database, this worker's own: ``{"pledges": "postgresql://…", …}``."""
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade(urls)
    return urls


@pytest.fixture(scope="session")
def jwks_url() -> Iterator[str]:
    """Where the keys are published that `tests.clients.token` signs with."""
    with clients.key_set() as url:
        yield url
