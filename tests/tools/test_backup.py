"""A backup is worth what its restore is: everything out, everything in, under another name."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import make_url

from tools import backup, database, migrate, postgres

ROOT = Path(__file__).parents[2]
RECORD = (1, "Übereinkommen · ميثاق · ñandú", Jsonb({"objectives": [1, 23], "note": None}))


@pytest.fixture(scope="module")
def filled(new_database: Callable[[], str]) -> str:
    """A migrated database with a record in each schema, in a table that needs an extension's index."""
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade(urls)
    for url in urls.values():
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (id integer PRIMARY KEY, title text, content jsonb)")
            connection.execute("CREATE INDEX ON kept USING gin (title gin_trgm_ops)")
            connection.execute("INSERT INTO kept VALUES (%s, %s, %s)", RECORD)
    return admin


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table in the schema, as text."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
        return {
            str(table): connection.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1').fetchall()
            for (table,) in tables.fetchall()
        }


def test_what_was_dumped_is_restored(
    filled: str, new_database: Callable[[], str], catalogue: Callable[[str], object], tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    backup.dump(filled, file)
    restored = new_database()
    backup.restore(restored, file, {})
    before, after = database.service_urls(filled), database.service_urls(restored)
    for service in database.SERVICES:
        assert len(rows(before[service])) > 1
        assert rows(after[service]) == rows(before[service])
        assert catalogue(after[service]) == catalogue(before[service])
        assert migrate.current(after[service]) == migrate.heads(service)
        with psycopg.connect(after[service]) as connection:
            owners = connection.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = %s", [service])
            assert owners.fetchall() == [(make_url(after[service]).username,)]


def test_nothing_is_overwritten(filled: str, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    backup.dump(filled, file)
    with pytest.raises(backup.BackupError, match="exists already"):
        backup.dump(filled, file)
    with pytest.raises(backup.BackupError, match="is not empty"):
        backup.restore(filled, file, {})


def test_a_damaged_file_restores_nothing_of_what_it_breaks_off_in(
    filled: str, new_database: Callable[[], str], tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    backup.dump(filled, file)
    os.truncate(file, file.stat().st_size * 9 // 10)
    restored = new_database()
    with pytest.raises(backup.BackupError, match="was not restored"):
        backup.restore(restored, file, {})
    before, after = database.service_urls(filled), database.service_urls(restored)
    found = {service: rows(url) for service, url in after.items()}
    assert {} in found.values()
    assert all(tables in ({}, rows(before[service])) for service, tables in found.items())


def test_a_failed_dump_leaves_no_file(new_database: Callable[[], str], tmp_path: Path) -> None:
    with pytest.raises(backup.BackupError, match="does not exist"):
        backup.dump(new_database(), tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_the_embedded_database_by_its_folder(folder: Path) -> None:
    with postgres.running(folder / "one", database.DEFAULT_DATABASE, say=lambda line: None, durable=False) as admin:
        urls = database.service_urls(admin, {})
        database.prepare(admin, urls)
        with psycopg.connect(urls["calendar"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'a date' AS title")
    for action, data in (("dump", "one"), ("restore", "two")):
        environment = {k: v for k, v in os.environ.items() if not k.endswith("DATABASE_URL")}
        subprocess.run(
            [sys.executable, "-m", "tools.backup", action, str(folder / "file")],
            cwd=ROOT,
            env=environment | {"DATA_DIR": str(folder / data)},
            check=True,
            stdout=subprocess.PIPE,
            timeout=60,
        )
    with postgres.running(folder / "two", database.DEFAULT_DATABASE, say=lambda line: None) as admin:
        url = database.service_urls(admin, {})["calendar"]
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT title FROM kept").fetchall() == [("a date",)]
