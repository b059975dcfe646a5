"""The practices service as an application: `python -m shared.serve services.practices.app`."""

from fastapi import FastAPI

from services.practices import routes, service
from services.practices.models import IdempotencyKey
from shared.application import create_service
from shared.settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service; its settings are read from the environment unless given."""
    return create_service(
        "practices",
        title="Practices",
        description="The Repository of Practices: drafted by implementers, peer reviewed, found by anyone.",
        routers=[routes.router],
        idempotency=IdempotencyKey,
        settings=settings,
        check=service.refuse_samples,
    )
