"""Bring every service's schema to its newest migration: ``python -m tools.migrate``.

Each service's migrations run as its own role, by ``<SERVICE>_DATABASE_URL`` or what DATABASE_URL derives.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from tools.database import SERVICES, DatabaseError, service_urls

ROOT = Path(__file__).resolve().parent.parent


def configuration(service: str, url: str | None = None) -> Config:
    """Alembic's configuration for one service; without ``url`` the environment names the database."""
    config = Config(ROOT / "alembic.ini", ini_section=service)
    config.attributes["url"] = url
    return config


def heads(service: str) -> set[str]:
    """The newest revisions among the service's migration files: one, or none before the first."""
    return set(ScriptDirectory.from_config(configuration(service)).get_heads())


def current(url: str) -> set[str]:
    """The revision that the service's schema is at; empty before the first migration."""
    with psycopg.connect(url, connect_timeout=10) as connection:
        try:
            return {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
        except psycopg.errors.UndefinedTable:
            return set()


def upgrade(urls: Mapping[str, str], say: Callable[[str], None] = lambda line: None) -> None:
    """Migrate whatever is not at its head; ``say`` hears of it before and after."""
    for service, url in urls.items():
        if current(url) != heads(service):
            say(f"migrating {service}")
            began = time.monotonic()
            command.upgrade(configuration(service, url), "head")
            say(f"{service} is migrated, in {time.monotonic() - began:.1f} s")


def main() -> int:
    try:
        if admin_url := os.environ.get("DATABASE_URL"):
            urls = service_urls(admin_url)
        else:
            urls = {service: os.environ[f"{service.upper()}_DATABASE_URL"] for service in SERVICES}
        upgrade(urls, print)
    except KeyError as missing:
        print(f"{missing.args[0]} is not set, nor is DATABASE_URL", file=sys.stderr)
        return 2
    except (DatabaseError, CommandError, psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
        print(f"the migrations did not run: {error}", file=sys.stderr)
        return 1
    print(f"at their newest migrations: {', '.join(urls)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
