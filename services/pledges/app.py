"""The pledges service as an application: `python -m shared.serve services.pledges.app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.pledges import routes, service, support
from services.pledges.attachments import files
from services.pledges.attachments import routes as attachment_routes
from services.pledges.exports import routes as export_routes
from services.pledges.imports import routes as import_routes
from services.pledges.imports import service as imports
from services.pledges.index import Index
from services.pledges.models import IdempotencyKey, Pledge
from shared import retention
from shared.application import create_service
from shared.jobs import Tasks
from shared.settings import Settings

FORGET = "pledges.forget"
TASKS = Tasks(
    {
        imports.BRING_IN: imports.bring_in,
        imports.FORGET: imports.forget,
        files.FORGET: files.forget,
        FORGET: retention.forgetting(Pledge, ("withdrawn", "declined"), IdempotencyKey),
    },
    every={imports.FORGET: "17 3 * * *", files.FORGET: "27 3 * * *", FORGET: retention.NIGHTLY},
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The summary's index stands before the first request."""
    app.state.index = Index(app.state.database)
    await app.state.index.build()
    yield


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service; its settings are read from the environment unless given."""
    return create_service(
        "pledges",
        title="Pledges",
        description="The Pledging Initiative: measurable commitments of States and stakeholders, and their progress.",
        routers=[export_routes.router, import_routes.router, attachment_routes.router, support.router, routes.router],
        idempotency=IdempotencyKey,
        settings=settings,
        check=service.refuse_samples,
        lifespan=lifespan,
        tasks=TASKS,
    )
