"""Folders a server can live in, and what a database holds by its catalogue."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

# Everything in the schema in use that a migration can make, in words that can be compared.
CATALOGUE = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
       a.attidentity::text || a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid),
       (SELECT collname FROM pg_collation l WHERE l.oid = a.attcollation)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL, NULL, NULL, NULL
  FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid),
       NULL, NULL, NULL, NULL
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'function', proname, pg_get_function_identity_arguments(oid), md5(prosrc), NULL, NULL, NULL, NULL
  FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid), NULL, NULL, NULL, NULL
  FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
 WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal
UNION ALL
SELECT 'type', typname, typtype::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_type WHERE typnamespace = current_schema()::regnamespace AND typtype IN ('e', 'd')
UNION ALL
SELECT 'search', cfgname, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_ts_config WHERE cfgnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'dictionary', dictname, dictinitoption, NULL, NULL, NULL, NULL, NULL
  FROM pg_ts_dict WHERE dictnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'sequence', relname, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace
"""


@contextlib.contextmanager
def _open_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="gcm-test-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every account may enter (pytest's own are closed to others for root)."""
    with _open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    """The same for all tests of a module."""
    with _open_folder() as made:
        yield made


@pytest.fixture(scope="session")
def catalogue() -> Callable[[str], set[tuple[object, ...]]]:
    """Call it with a service's URL for what its schema is made of."""

    def read(url: str) -> set[tuple[object, ...]]:
        with psycopg.connect(url) as connection:
            return set(connection.execute(CATALOGUE).fetchall())

    return read
