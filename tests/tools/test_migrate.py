"""Each service's migrations: one line of them, equal to the models, down and up again, safe side by side."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, NullPool, create_engine, make_url, text

from shared.migrations import ours
from tools import database, migrate

ROOT = Path(__file__).parents[2]
Catalogue = Callable[[str], set[tuple[object, ...]]]


def metadata(service: str) -> MetaData:
    found: MetaData = importlib.import_module(f"services.{service}.models").Base.metadata
    return found


def connect(url: str) -> Connection:
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool).connect()


@pytest.fixture(scope="module")
def fresh(new_database: Callable[[], str]) -> dict[str, str]:
    """Schemas without a table in them."""
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    return urls


@pytest.mark.parametrize("service", database.SERVICES)
def test_there_is_one_head_and_the_database_is_at_it(service: str, database_urls: dict[str, str]) -> None:
    heads = migrate.heads(service)
    assert len(heads) == 1
    assert migrate.current(database_urls[service]) == heads


@pytest.mark.parametrize("service", database.SERVICES)
def test_alembic_finds_no_difference_from_the_models(service: str, database_urls: dict[str, str]) -> None:
    with connect(database_urls[service]) as connection:
        context = MigrationContext.configure(connection, opts={"include_name": ours})
        assert compare_metadata(context, metadata(service)) == []


@pytest.mark.parametrize("service", database.SERVICES)
def test_what_the_models_make_is_what_the_migrations_made(
    service: str, fresh: dict[str, str], catalogue: Catalogue
) -> None:
    """Checks, defaults and indexes too, which Alembic does not compare: the tables are made anew and compared."""
    migrate.upgrade({service: fresh[service]})
    migrated = catalogue(fresh[service])
    tables = {table.name for table in metadata(service).sorted_tables}
    with connect(fresh[service]) as connection:
        metadata(service).drop_all(connection)
        metadata(service).create_all(connection)
        connection.commit()
    modelled = catalogue(fresh[service])
    assert {row for row in migrated if row[1] in tables and row[0] != "trigger"} == {
        row for row in modelled if row[1] in tables
    }
    command.downgrade(migrate.configuration(service, fresh[service]), "base")


@pytest.mark.parametrize("service", database.SERVICES)
def test_down_to_nothing_and_up_again(service: str, fresh: dict[str, str], catalogue: Catalogue) -> None:
    url = {service: fresh[service]}
    migrate.upgrade(url)
    first = catalogue(fresh[service])
    command.downgrade(migrate.configuration(service, fresh[service]), "base")
    assert {row for row in catalogue(fresh[service]) if "alembic_version" not in str(row)} == set()
    migrate.upgrade(url)
    assert catalogue(fresh[service]) == first


def test_two_may_migrate_at_once(new_database: Callable[[], str]) -> None:
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "tools.migrate"],
            cwd=ROOT,
            env={f"{service.upper()}_DATABASE_URL": url for service, url in urls.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    for service, url in urls.items():
        assert migrate.current(url) == migrate.heads(service)


def test_a_migration_gives_up_waiting_for_a_lock_and_can_be_run_again(fresh: dict[str, str]) -> None:
    """It must not stand in the queue of a busy table, where everybody else would stand behind it."""
    with connect(fresh["calendar"]) as busy:
        busy.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)"))
        busy.commit()
        busy.execute(text("LOCK TABLE alembic_version"))
        with pytest.raises(Exception, match="lock timeout"):
            command.upgrade(migrate.configuration("calendar", fresh["calendar"]), "head")
    migrate.upgrade({"calendar": fresh["calendar"]})
    assert migrate.current(fresh["calendar"]) == migrate.heads("calendar")
