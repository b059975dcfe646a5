"""Write a migration from what changed in a service's models: ``python -m tools.revision pledges "why"``.

The models are compared with a database made by the migrations so far, on a server that lives for as long.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command

from tools import database, migrate, postgres


def main() -> int:
    match sys.argv[1:]:
        case [service, message] if service in database.SERVICES and message.strip():
            pass
        case _:
            print(f"SERVICE must be one of {', '.join(database.SERVICES)}, MESSAGE not empty", file=sys.stderr)
            return 2
    with (
        # Not the system's choice of folder: PostgreSQL's own account must reach it.
        tempfile.TemporaryDirectory(prefix="gcm-revision-", dir="/tmp") as folder,
        postgres.running(Path(folder), database.DEFAULT_DATABASE, durable=False) as admin_url,
    ):
        urls = database.service_urls(admin_url, {})
        database.prepare(admin_url, urls)
        migrate.upgrade({service: urls[service]})
        command.revision(migrate.configuration(service, urls[service]), message, autogenerate=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
