"""Load what a new platform starts with: ``python -m tools.seed``; SEED says how much, and a second run adds nothing.

``reference`` loads the lists' records (key dates, events, real practices, programmes and pledges), ``sample`` the
demonstration records too, ``none`` nothing.
"""

import asyncio
import importlib
import os
import sys
from typing import Any

from shared.database import Database
from tools.database import SERVICES


async def load(service: str, module: Any, url: str, samples: bool) -> str:
    """Seed one service; what it says it did."""
    database = Database(url, pool_size=2)
    try:
        said: str = await module.seed(database, samples)
    finally:
        await database.close()
    return f"{service}: {said}"


async def _all(samples: bool) -> None:
    urls = {service: os.environ[f"{service.upper()}_DATABASE_URL"] for service in SERVICES}
    # Before anything is connected: an import holds up every connection that waits for its answer.
    modules = {service: importlib.import_module(f"services.{service}.seed") for service in SERVICES}
    for line in await asyncio.gather(*(load(name, modules[name], url, samples) for name, url in urls.items())):
        print(line)


def main() -> int:
    kind = os.environ.get("SEED", "none")
    if kind == "none":
        return 0
    if kind == "sample" and os.environ.get("ENVIRONMENT") != "development":
        print("SEED=sample is for ENVIRONMENT=development alone", file=sys.stderr)
        return 2
    asyncio.run(_all(samples=kind == "sample"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
