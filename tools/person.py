"""What is held of one person: ``python -m tools.person export ADDRESS`` prints it, ``erase ADDRESS`` takes it out.

ADDRESS is an e-mail address or the subject of a token. The services' URLs are taken from the environment, as
`tools.migrate` does. What others decided stays in the history, under a name that says nothing.
"""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from tools.database import SERVICES

# In a row that names a person by one of these, the others are theirs too.
OF_AN_ADDRESS = ("email", "name", "phone", "subject")
OF_A_SUBJECT = ("sub", "actor", "subject")


def tables(service: str) -> Iterator[Table]:
    """The service's own tables."""
    yield from importlib.import_module(f"services.{service}.models").Base.metadata.sorted_tables


def held(connection: psycopg.Connection[Any], table: Table, person: str) -> list[dict[str, Any]]:
    """The rows of a table that name the person."""
    columns = [column.name for column in table.columns if isinstance(column.type, Text)]
    documents = [column.name for column in table.columns if isinstance(column.type, JSONB)]
    conditions = [sql.SQL("{} = %(person)s").format(sql.Identifier(name)) for name in columns]
    conditions += [
        sql.SQL(
            "jsonb_path_exists({}, '$.** ? (@ == $person)', jsonb_build_object('person', %(person)s::text))"
        ).format(sql.Identifier(name))
        for name in documents
    ]
    if not conditions:
        return []
    shown = sql.SQL(", ").join(map(sql.Identifier, [*(c.name for c in table.primary_key), *columns, *documents]))
    question = sql.SQL("SELECT {} FROM {} WHERE {}").format(
        shown, sql.Identifier(table.name), sql.SQL(" OR ").join(conditions)
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(question, {"person": person}).fetchall()


def scrubbed(value: Any, person: str, instead: str) -> Any:
    """A document without the person: an object that holds their address goes whole, any other mention is replaced."""
    if isinstance(value, dict):
        if value.get("email") == person:
            return {}
        return {name: scrubbed(each, person, instead) for name, each in value.items()}
    if isinstance(value, list):
        return [scrubbed(each, person, instead) for each in value]
    return instead if value == person else value


def erase(connection: psycopg.Connection[Any], table: Table, person: str) -> int:
    """Take the person out of a table; how many rows named them."""
    rows = held(connection, table, person)
    keys = [column.name for column in table.primary_key]
    for row in rows:
        instead = f"erased-{uuid4().hex[:12]}"
        named = {name for name, value in row.items() if value == person}
        if "email" in named:
            named |= {name for name in OF_AN_ADDRESS if row.get(name)}
        if named & {"sub", "subject"}:
            named |= {name for name in OF_A_SUBJECT if row.get(name)}
        changed: dict[str, Any] = dict.fromkeys(sorted(named), instead)
        for name, value in row.items():
            if isinstance(value, dict | list) and scrubbed(value, person, instead) != value:
                changed[name] = Jsonb(scrubbed(value, person, instead))
        connection.execute(
            sql.SQL("UPDATE {} SET {} WHERE {}").format(
                sql.Identifier(table.name),
                sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in changed),
                sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in keys),
            ),
            [*changed.values(), *(row[name] for name in keys)],
        )
    return len(rows)


def main() -> int:
    match sys.argv[1:]:
        case ["export" | "erase" as what, person] if person.strip():
            pass
        case _:
            print("usage: python -m tools.person export|erase ADDRESS", file=sys.stderr)
            return 2
    found: dict[str, Any] = {}
    for service in SERVICES:
        # All of a service or nothing of it.
        with psycopg.connect(os.environ[f"{service.upper()}_DATABASE_URL"]) as connection:
            for table in tables(service):
                rows = held(connection, table, person) if what == "export" else erase(connection, table, person)
                if rows:
                    found[f"{service}.{table.name}"] = rows
    print(json.dumps(found, indent=2, ensure_ascii=False, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
