"""Load what a new platform starts with: ``python -m tools.seed``; SEED says how much, and a second run adds nothing.

``reference`` loads the lists' records (key dates, events, real practices, programmes and pledges), ``sample`` the
demonstration records too, ``none`` nothing.
"""

import asyncio
import importlib
import os
import sys

from shared.database import Database
from tools.database import SERVICES


async def load(service: str, url: str, samples: bool) -> str:
    """Seed one service; what it says it did."""
    module = importlib.import_module(f"services.{service}.seed")
    database = Database(url, pool_size=2)
    try:
        said: str = await module.seed(database, samples)
    finally:
        await database.close()
    return f"{service}: {said}"


async def _all(samples: bool) -> None:
    urls = {service: os.environ[f"{service.upper()}_DATABASE_URL"] for service in SERVICES}
    for line in await asyncio.gather(*(load(service, url, samples) for service, url in urls.items())):
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
