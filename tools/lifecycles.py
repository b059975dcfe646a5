"""Write docs/lifecycles.md from the services' tables: ``python -m tools.lifecycles``; ``--check`` only compares."""

import importlib
import sys
from pathlib import Path

from shared.lifecycle import Lifecycle
from tools.database import SERVICES

TARGET = Path(__file__).parents[1] / "docs" / "lifecycles.md"
HEAD = """# Lifecycles

Written by `make lifecycles` from `services/*/lifecycle.py`; do not edit. A record offers in `actions` what the
caller may do now: the row's sources hold its status, the caller is who the row names, and its precondition holds.
"""


def written() -> str:
    """Every table, service by service."""
    parts = [HEAD]
    for service in SERVICES:
        module = importlib.import_module(f"services.{service}.lifecycle")
        tables = [value for value in vars(module).values() if isinstance(value, Lifecycle)]
        parts += [f"## {service}: {table.name}\n\n{table.table()}\n" for table in tables]
    return "\n".join(parts)


def main() -> int:
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(written(), "utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text("utf-8") == written():
        return 0
    print("docs/lifecycles.md is not what the tables say: run make lifecycles", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
