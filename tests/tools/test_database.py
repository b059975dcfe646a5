"""The admin step: repeatable, and no service reaches what is another's."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tools import database

ROOT = Path(__file__).parents[2]
PAIRS = list(itertools.permutations(database.SERVICES, 2))


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url, autocommit=True)


def text(url: str, **changes: Any) -> str:
    return make_url(url).set(**changes).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def admin(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture(scope="module")
def urls(admin: str) -> dict[str, str]:
    """The four services' URLs of a prepared database, with a table ``own`` in each schema."""
    made = database.service_urls(admin)
    database.prepare(admin, made)
    for url in made.values():
        with connect(url) as connection:
            connection.execute("CREATE TABLE own AS SELECT 1 AS n")
    return made


def test_it_can_be_repeated(admin: str, urls: dict[str, str]) -> None:
    database.prepare(admin, urls)
    for service, url in urls.items():
        with connect(url) as connection:
            assert connection.execute("SHOW search_path").fetchone() == (f"{service}, extensions",)
            assert connection.execute("SELECT n FROM own").fetchone() == (1,)
            assert connection.execute("SELECT 'pledge' % 'pledges', unaccent('é')").fetchone() == (True, "e")


def test_several_may_do_it_at_once(new_database: Callable[[], str]) -> None:
    admin = new_database()
    steps = [
        subprocess.Popen(
            [sys.executable, "-m", "tools.database"],
            cwd=ROOT,
            env={"DATABASE_URL": admin},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    said = [step.communicate(timeout=60)[0] for step in steps]
    assert [step.returncode for step in steps] == [0, 0, 0], said
    for url in database.service_urls(admin).values():
        connect(url).close()


@pytest.mark.parametrize(("service", "other"), PAIRS)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {}.own",
        "INSERT INTO {}.own VALUES (2)",
        "UPDATE {}.own SET n = 2",
        "DELETE FROM {}.own",
        "TRUNCATE {}.own",
        "DROP TABLE {}.own",
        "CREATE TABLE {}.intruder (n integer)",
        "GRANT USAGE ON SCHEMA {} TO CURRENT_USER",
    ],
)
def test_no_service_reaches_anothers_schema(urls: dict[str, str], service: str, other: str, statement: str) -> None:
    with connect(urls[service]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL(statement).format(sql.Identifier(other)))


@pytest.mark.parametrize(("service", "other"), PAIRS)
def test_no_service_becomes_another(urls: dict[str, str], service: str, other: str) -> None:
    role = str(make_url(urls[other]).username)
    with connect(urls[service]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(text(urls[service], username=role))


@pytest.mark.parametrize("service", database.SERVICES)
def test_a_service_has_no_rights_beyond_its_schema(urls: dict[str, str], service: str) -> None:
    with connect(urls[service]) as connection:
        flags = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert flags == (False,) * 5
        member = connection.execute(
            "SELECT count(*) FROM pg_auth_members JOIN pg_roles r ON r.oid = member WHERE rolname = current_user"
        )
        assert member.fetchone() == (0,)
        for statement in (
            "CREATE SCHEMA another",
            "CREATE TABLE extensions.intruder (n integer)",
            "CREATE TABLE public.intruder (n integer)",
            "CREATE ROLE intruder",
            "CREATE DATABASE intruder",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_stranger_does_not_connect(admin: str, urls: dict[str, str], new_database: Callable[[], str]) -> None:
    """A role of another stack on the same server."""
    strangers = new_database()
    others = database.service_urls(strangers)
    database.prepare(strangers, others)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect(text(others["pledges"], database=str(make_url(admin).database)))


def test_a_new_password_of_a_given_url_becomes_the_roles(admin: str, urls: dict[str, str]) -> None:
    changed = text(urls["mptf"], password="tilde~and:colon@sign/slash")
    given = database.service_urls(admin, {"MPTF_DATABASE_URL": changed})
    assert {**urls, "mptf": changed} == given
    database.prepare(admin, given)
    connect(changed).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(urls["mptf"])
    database.prepare(admin, urls)
    connect(urls["mptf"]).close()


def test_an_administrator_need_not_be_a_superuser(admin: str, new_database: Callable[[], str], admin_url: str) -> None:
    name = str(make_url(admin).database) + "_admin"
    target = text(new_database(), username=name, password="enough")
    with connect(admin_url) as connection:
        role = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD 'enough'").format(role))
    try:
        for _ in range(2):
            made = database.service_urls(target)
            database.prepare(target, made)
        for service, url in made.items():
            with connect(url) as connection:
                connection.execute("CREATE TABLE own (n integer)")
                row = connection.execute(
                    "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'own'::regclass"
                )
                assert row.fetchone() == (service,)
    finally:
        with connect(admin_url) as connection:
            dropped = sql.Identifier(str(make_url(target).database))
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(dropped))
            for url in made.values():
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(str(make_url(url).username))))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_without_a_password_a_secret_is_kept(tmp_path: Path) -> None:
    """Some servers let an administrator in without one; the services' stay hard to guess, and the same."""
    environment = {"DATA_DIR": str(tmp_path / "data")}
    first = database.service_urls("postgresql://postgres@localhost/gcm", environment)
    assert database.service_urls("postgresql://postgres@localhost/gcm", environment) == first
    assert len({make_url(url).password for url in first.values()}) == 4
    elsewhere = {"DATA_DIR": str(tmp_path / "other")}
    assert database.service_urls("postgresql://postgres@localhost/gcm", elsewhere) != first


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://somebody:secret@localhost/gcm",
        "postgresql://gcm_pledges:secret@localhost/another",
        "postgresql://gcm_pledges@localhost/gcm",
    ],
)
def test_a_url_of_another_role_or_database_is_refused(given: str) -> None:
    with pytest.raises(database.DatabaseError, match="PLEDGES_DATABASE_URL must connect as gcm_pledges"):
        database.service_urls("postgresql://postgres:secret@localhost/gcm", {"PLEDGES_DATABASE_URL": given})


def test_names_follow_the_database() -> None:
    named = database.service_urls("postgresql+psycopg://a:b@host:6543/other?sslmode=require", {})
    assert named["mptf"].startswith("postgresql://other_mptf:")
    assert named["mptf"].endswith("@host:6543/other?sslmode=require")
    with pytest.raises(database.DatabaseError, match="too long"):
        database.service_urls(f"postgresql://a:b@host/{'x' * 60}", {})


@pytest.fixture
def latin(admin_url: str) -> Iterator[str]:
    name = "test_latin"
    with connect(admin_url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    yield text(admin_url, database=name)
    with connect(admin_url) as connection:
        connection.execute(f"DROP DATABASE {name}")


def test_another_encoding_is_refused(latin: str) -> None:
    with pytest.raises(database.DatabaseError, match="not encoded in UTF8"):
        database.prepare(latin, database.service_urls(latin))


def test_an_extension_elsewhere_is_told(new_database: Callable[[], str], admin_url: str) -> None:
    target = new_database()
    with connect(admin_url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(str(make_url(target).database))))
    with connect(target) as connection:
        connection.execute("CREATE EXTENSION unaccent SCHEMA public")
    with pytest.raises(database.DatabaseError, match="ALTER EXTENSION unaccent SET SCHEMA extensions"):
        database.prepare(target, database.service_urls(target))
