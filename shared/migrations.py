"""What every service's Alembic environment does: `run` its migrations alone, in its own schema, in short locks."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from sqlalchemy import Connection, Engine, MetaData, NullPool, create_engine, make_url, text

# Tables beside the models' that a library keeps: a comparison with the models leaves them out.
FOREIGN_PREFIXES = ("procrastinate_",)
# A migration that cannot have its lock soon fails, and is run again, rather than queue everybody behind it.
LOCK_TIMEOUT = "5s"
PATIENCE = 300.0


def ours(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether a comparison with the models considers this name (Alembic's `include_name`)."""
    return kind != "table" or not (name or "").startswith(FOREIGN_PREFIXES)


def run(metadata: MetaData) -> None:
    """Run the command Alembic was called with, for the service whose section of alembic.ini is in use.

    The URL is the caller's (`config.attributes["url"]`) or `<SERVICE>_DATABASE_URL`. Its role's search path
    leads to the service's schema: neither models nor migrations name it, and the version table lies there.
    """
    service = context.config.config_ini_section
    options: dict[str, Any] = {"target_metadata": metadata, "include_name": ours, "transaction_per_migration": True}
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", literal_binds=True, **options)
        with context.begin_transaction():
            context.run_migrations()
        return
    url = context.config.attributes.get("url") or os.environ[f"{service.upper()}_DATABASE_URL"]
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with _alone(engine, service), engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.commit()
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()


@contextmanager
def _alone(engine: Engine, service: str) -> Iterator[Connection]:
    """One process migrates a service at a time; the others wait, then find nothing left to do.

    They ask again and again instead of waiting in the server: a waiting statement holds a snapshot, and
    CREATE INDEX CONCURRENTLY would wait for that in turn.
    """
    deadline = time.monotonic() + PATIENCE
    question = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(question, {"name": f"migrations: {service}"}):
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process has been migrating {service} for {PATIENCE:.0f} s")
            time.sleep(0.2)
        yield connection  # closing it gives the lock back
