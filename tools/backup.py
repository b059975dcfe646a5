"""Keep all four schemas in one file, and bring them back: ``python -m tools.backup dump|restore FILE``.

The database is the one at DATABASE_URL or, without it, the one in DATA_DIR while nothing else serves it. The
file is pg_dump's custom format, of one moment for all services, and names no role: it can be restored into a
database of any name, on any supported version.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

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
    command, environment = _command(
        "pg_dump", admin_url, "--format=custom", *_ANYBODYS, *schemas, f"--file={unfinished}"
    )
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"pg_dump failed:\n{done.stderr}")
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
        _restore_one(service, url, file)
    for url in urls.values():
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")


_ANYBODYS = ("--no-owner", "--no-privileges")
# pg_restore says it to every server, and those before version 17 do not know it.
_UNKNOWN_TO_SOME = b"SET transaction_timeout = 0;\n"


def _command(program: str, url: str, *options: str) -> tuple[list[str], dict[str, str]]:
    """A program's command line, and the environment that has the password: the former is for all to read."""
    target = database.parse(url)
    address = target._replace(password=None).render_as_string()
    secret = {"PGPASSWORD": str(target.password)} if target.password else {}
    return [str(postgres.programs() / program), f"--dbname={address}", *options], os.environ | secret


def _restore_one(service: str, url: str, file: Path) -> None:
    """Read one schema's part into psql, which commits all of it or nothing."""
    reader = [str(postgres.programs() / "pg_restore"), "--file=-", f"--schema={service}", *_ANYBODYS, str(file)]
    options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--file=-")
    writer, environment = _command("psql", url, *options)
    with (
        tempfile.TemporaryFile() as told,
        subprocess.Popen(reader, stdout=subprocess.PIPE, stderr=told) as source,
        subprocess.Popen(
            writer, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told
        ) as target,
    ):
        script, sink = cast("IO[bytes]", source.stdout), cast("IO[bytes]", target.stdin)
        with contextlib.suppress(BrokenPipeError):
            for line in script:
                if line != _UNKNOWN_TO_SOME:
                    sink.write(line)
            sink.flush()
        script.close()
        whole = source.wait() == 0
        if not whole:
            target.kill()  # an end of its input would make it commit
        with contextlib.suppress(BrokenPipeError):
            sink.close()
        if target.wait() or not whole:
            told.seek(0)
            raise BackupError(f"{service} was not restored:\n{told.read().decode(errors='replace')}")


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
