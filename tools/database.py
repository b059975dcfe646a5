"""The admin step: one database, and in it a role and a schema for each service. Safe to repeat.

``python -m tools.database`` with DATABASE_URL, an administrator's. Services never see that URL: each gets
``<SERVICE>_DATABASE_URL``, which connects as its own role and reaches its own schema alone.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

SERVICES = ("pledges", "practices", "mptf", "calendar")
EXTENSIONS = ("pg_trgm", "unaccent", "btree_gin")
DEFAULT_DATABASE = "gcm"

Connection = psycopg.Connection[tuple[object, ...]]


class DatabaseError(RuntimeError):
    """The database cannot be prepared; the message says why and what helps."""


def service_urls(admin_url: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Each service's own URL: ``<SERVICE>_DATABASE_URL`` where given, else derived from the admin's.

    A derived password is an HMAC under the admin's password or, where the server asks for none, under a
    secret kept in DATA_DIR. Raises DatabaseError where a given URL names another role or database.
    """
    environment = os.environ if environment is None else environment
    admin = parse(admin_url)
    key = str(admin.password) if admin.password else _kept_secret(environment)
    urls = {}
    for service in SERVICES:
        role = f"{admin.database}_{service}"
        variable = f"{service.upper()}_DATABASE_URL"
        if given := environment.get(variable):
            url = make_url(given).set(drivername="postgresql")
            if (url.username, url.database) != (role, admin.database) or not url.password:
                raise DatabaseError(f"{variable} must connect as {role}, with a password, to {admin.database}")
        else:
            digest = hmac.new(key.encode(), role.encode(), hashlib.sha256).digest()
            url = admin.set(username=role, password=base64.urlsafe_b64encode(digest).rstrip(b"=").decode())
        urls[service] = _text(url)
    return urls


def prepare(admin_url: str, urls: Mapping[str, str]) -> None:
    """Make the database of ``admin_url``, its extensions, and each service's role and schema.

    ``urls`` are those of ``service_urls``. Whatever stands already is left as it is. The admin needs
    CREATEDB (unless the database stands) and CREATEROLE, not more.
    """
    admin = parse(admin_url)
    _ensure_database(admin)
    with _connected(admin) as connection, _alone(connection, str(admin.database)):
        _check_encoding(connection)
        _ensure_extensions(connection)
        for service, url in urls.items():
            _ensure_service(connection, service, make_url(url))


def parse(admin_url: str) -> URL:
    """The admin's URL with its database named. Raises DatabaseError for a name that roles cannot carry."""
    url = make_url(admin_url).set(drivername="postgresql")
    url = url.set(database=url.database or DEFAULT_DATABASE)
    longest = max(len(f"{url.database}_{service}".encode()) for service in SERVICES)
    if longest > 63:
        raise DatabaseError(f"the database's name {url.database} is too long: roles are named after it")
    return url


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _kept_secret(environment: Mapping[str, str]) -> str:
    path = Path(environment.get("DATA_DIR", ".data"), "database-secret")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):  # another process was first: its secret holds
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()


def _connected(url: URL) -> Connection:
    return psycopg.connect(_text(url), autocommit=True, connect_timeout=10)


@contextlib.contextmanager
def _alone(connection: Connection, name: str) -> Iterator[None]:
    """One admin step at a time; another waits a minute at most."""
    connection.execute("SET lock_timeout = '60s'")
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"admin step: {name}"])
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock_all()")


def _ensure_database(admin: URL) -> None:
    try:
        _connected(admin).close()
    except psycopg.OperationalError as error:
        try:
            maintenance = _connected(admin.set(database="postgres"))
        except psycopg.OperationalError:
            raise error from None  # the reason the first one gives is the one that helps
    else:
        return
    name = str(admin.database)
    with maintenance, _alone(maintenance, name):
        if maintenance.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        # The built-in provider sorts and folds alike on every machine; it came with version 17.
        locale = (
            "LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
            if maintenance.info.server_version >= 170000
            else "LOCALE 'C.UTF-8' LOCALE_PROVIDER libc"
        )
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' " + locale)
        maintenance.execute(statement.format(sql.Identifier(name)))
        maintenance.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def _check_encoding(connection: Connection) -> None:
    row = connection.execute("SELECT current_setting('server_encoding')").fetchone()
    if row != ("UTF8",):
        raise DatabaseError(f"the database {connection.info.dbname} is not encoded in UTF8")


def _ensure_extensions(connection: Connection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS extensions")
    for extension in EXTENSIONS:
        connection.execute(
            sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA extensions").format(sql.Identifier(extension))
        )
    strays = connection.execute(
        "SELECT extname, nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
        " WHERE extname = ANY(%s) AND nspname <> 'extensions'",
        [list(EXTENSIONS)],
    ).fetchall()
    if strays:
        extension, schema = map(str, strays[0])
        raise DatabaseError(
            f"the extension {extension} stands in the schema {schema}:"
            f" ALTER EXTENSION {extension} SET SCHEMA extensions, or take a database of its own"
        )


def _ensure_service(connection: Connection, service: str, url: URL) -> None:
    """The role, its password, its rights, its schema and its search path."""
    name = str(url.username)
    role, schema, database = map(sql.Identifier, (name, service, connection.info.dbname))
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    if not known:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
    connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, role))
    if not known or not _connects(url):
        # Sent as a verifier: the password itself shows in no log of the server.
        verifier = connection.pgconn.encrypt_password(
            str(url.password).encode(), name.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(verifier)))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA extensions TO {}").format(role))
    if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [service]).fetchone():
        _create_schema(connection, schema, role)
    connection.execute(
        sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}, extensions").format(role, database, schema)
    )


def _create_schema(connection: Connection, schema: sql.Identifier, role: sql.Identifier) -> None:
    """A schema the role owns; an admin who is no superuser must be in the role for that moment."""
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    lesser = row == (False,)
    if lesser:
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    connection.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(schema, role))
    if lesser:
        connection.execute(sql.SQL("REVOKE {} FROM CURRENT_USER").format(role))


def _connects(url: URL) -> bool:
    try:
        _connected(url).close()
    except psycopg.OperationalError:
        return False
    return True


def main() -> int:
    admin_url = os.environ.get("DATABASE_URL")
    if not admin_url:
        print("DATABASE_URL is not set: it names the database and connects as its administrator", file=sys.stderr)
        return 2
    try:
        urls = service_urls(admin_url)
        prepare(admin_url, urls)
    except (DatabaseError, psycopg.Error) as error:
        print(f"the database cannot be prepared: {error}", file=sys.stderr)
        return 1
    print(f"{parse(admin_url).database}: roles, schemas and extensions stand for {', '.join(urls)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
