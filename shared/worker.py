"""Run one service's worker apart from its HTTP: `python -m shared.worker services.practices.app`.

The service itself is then started with RUN_WORKER=false.
"""

import asyncio
import importlib
import os
import signal
import sys

from shared import jobs, logs
from shared.database import Database
from shared.settings import Settings


async def work(tasks: jobs.Tasks, settings: Settings) -> None:
    """Until SIGTERM or SIGINT."""
    if settings.database_url is None:
        raise RuntimeError("the service's database URL is not set")
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    database = Database(settings.database_url, settings.database_pool_size)
    try:
        async with jobs.working(tasks, settings, database):
            await told.wait()
    finally:
        await database.close()


def main() -> None:
    logs.configure(os.environ.get("LOG_LEVEL", "INFO"))
    app = importlib.import_module(sys.argv[1]).create_app()
    asyncio.run(work(app.state.tasks, app.state.settings))


if __name__ == "__main__":
    main()
