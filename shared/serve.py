"""Run one application: `python -m shared.serve services.pledges.app`; HOST, PORT, LOG_LEVEL in the environment."""

import gc
import importlib
import os
import sys

import uvicorn

from shared import logs


def main() -> None:
    module = sys.argv[1]
    development = os.environ.get("ENVIRONMENT") == "development"
    logs.configure(os.environ.get("LOG_LEVEL", "INFO"))
    # What is made here lives as long as the process: the collector need not look at it, now or ever.
    gc.disable()
    app = importlib.import_module(module).create_app()
    gc.freeze()
    gc.enable()
    uvicorn.run(
        app,
        # In development nothing is offered beyond this machine, whatever HOST says.
        host="127.0.0.1" if development else os.environ.get("HOST", "0.0.0.0"),  # noqa: S104 - behind the gateway
        port=int(os.environ.get("PORT", "8000")),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=10,
        # The gateway keeps its connections longer idle than most clients; a service must not hang up first.
        timeout_keep_alive=75,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
