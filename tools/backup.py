"""Keep all four schemas in one file, and bring them back: ``python -m tools.backup dump|restore FILE``.

The database is the one at DATABASE_URL or, without it, the one in DATA_DIR while nothing else serves it. The
file is pg_dump's custom format, of one moment for all services, and names no role: it can be restored into a
database of any name, on any supported version.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg

from tools import database, postgres


class BackupError(RuntimeError):
    """The file was not written, or not read in; the message says why."""


def dump(admin_url: str, file: Path) -> None:
    """Write ``file``, which must not exist. Services may go on working meanwhile."""
    if file.exists():
        raise BackupError(f"{file} exists already")
    unfinished = file.with_name(f"{file.name}.unfinished")
    schemas = [f"--schema={service}" for service in database.SERVICES]
    _run("pg_dump", admin_url, "--format=custom", *_ANYBODYS, *schemas, f"--file={unfinished}")
    unfinished.rename(file)


def restore(admin_url: str, file: Path, environment: Mapping[str, str]) -> None:
    """Read ``file`` into a database without tables; the admin step is done first where it was not.

    Each service's part is restored by its own role, in one transaction. Raises BackupError where a schema
    has tables: nothing is ever overwritten.
    """
    if not file.is_file():
        raise BackupError(f"there is no file {file}")
    urls = database.service_urls(admin_url, environment)
    database.prepare(admin_url, urls)
    for service, url in urls.items():
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [service]).fetchone()
        if row != (0,):
            raise BackupError(f"the schema {service} is not empty: restore into a new database")
    for service, url in urls.items():
        options = (f"--schema={service}", "--single-transaction", "--exit-on-error", *_ANYBODYS)
        _run("pg_restore", url, *options, str(file))
    for url in urls.values():
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")


_ANYBODYS = ("--no-owner", "--no-privileges")


def _run(program: str, url: str, *options: str) -> None:
    target = database.parse(url)
    # On a command line everybody on the machine could read the password.
    environment = os.environ | ({"PGPASSWORD": str(target.password)} if target.password else {})
    address = target._replace(password=None).render_as_string()
    command = [str(postgres.programs() / program), f"--dbname={address}", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program} failed:\n{done.stderr}")


@contextlib.contextmanager
def _administered(environment: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The admin's URL, and the variables that name the services' URLs."""
    if given := environment.get("DATABASE_URL"):
        yield given, environment
        return
    folder = Path(environment.get("DATA_DIR") or ".data")
    with postgres.running(folder, database.DEFAULT_DATABASE) as url:
        yield url, {}


def main(arguments: Sequence[str]) -> int:
    match arguments:
        case ["dump" | "restore" as action, file]:
            pass
        case _:
            print("python -m tools.backup dump FILE, or restore FILE", file=sys.stderr)
            return 2
    try:
        with _administered(os.environ) as (url, environment):
            if action == "dump":
                dump(url, Path(file))
            else:
                restore(url, Path(file), environment)
    except (BackupError, database.DatabaseError, postgres.ServerError, psycopg.Error) as error:
        print(f"{action} failed: {error}", file=sys.stderr)
        return 1
    print(f"{action}: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
