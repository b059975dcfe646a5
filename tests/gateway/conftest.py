"""Real processes on real sockets: the stand-in service, and gateways in front of it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from gateway.settings import SERVICES
from tools.processes import spawn

ROOT = Path(__file__).parents[2]

Start = Callable[..., str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Processes:
    """Starts servers and stops those that it started."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, module: str, port: int | None = None, **environment: str) -> str:
        """Run an ASGI factory or application as `module:name`; gives its URL once it answers."""
        port = port or free_port()
        url = f"http://127.0.0.1:{port}"
        if module == "gateway.app":
            command = [sys.executable, "-m", "shared.serve", module]
        else:
            command = [sys.executable, "-m", "uvicorn", module, "--port", str(port), "--timeout-keep-alive", "75"]
            command += ["--log-level", "critical", "--loop", "uvloop", "--http", "httptools"]
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("OIDC_", "GATEWAY_"))}
        variables |= {"ENVIRONMENT": "development", "PORT": str(port), "LOG_LEVEL": "CRITICAL"} | environment
        self._running[url] = spawn(command, death=signal.SIGKILL, cwd=ROOT, env=variables)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                httpx.get(f"{url}/livez", trust_env=False)
                return url
            if self._running[url].poll() is not None:
                raise RuntimeError(f"{module} ended with {self._running[url].returncode}")
            time.sleep(0.05)
        raise RuntimeError(f"{module} did not start")

    def stop(self, url: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self._running.pop(url)
        process.send_signal(how)
        process.wait(20)

    def stop_all(self) -> None:
        for url in list(self._running):
            self.stop(url, signal.SIGKILL)


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    running = Processes()
    yield running
    running.stop_all()


@pytest.fixture(scope="session")
def service(processes: Processes) -> str:
    """The stand-in's URL, by host name: what is kept by name would show."""
    return processes.start("tests.gateway.upstream:app").replace("127.0.0.1", "localhost")


@pytest.fixture(scope="session")
def start_gateway(processes: Processes, service: str, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Call it with settings (`rate_limit="5/minute"`) for the URL of a gateway of its own."""

    def start(**settings: str) -> str:
        environment = {f"{name.upper()}_URL": service for name in SERVICES}
        environment["DATA_DIR"] = str(tmp_path_factory.mktemp("data"))
        environment |= {name.upper(): value for name, value in settings.items()}
        return processes.start("gateway.app", **environment)

    return start


@pytest.fixture(scope="session")
def gateway(start_gateway: Start) -> str:
    """The URL of a gateway whose four services are the stand-in."""
    return start_gateway(trusted_proxies="127.0.0.0/8", answer_timeout="2")


@pytest.fixture
async def client(gateway: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `gateway`."""
    async with httpx.AsyncClient(base_url=gateway, trust_env=False, timeout=20) as made:
        yield made
