"""Run everything on this machine: PostgreSQL, four services, the gateway. ``python -m tools.stack``

It stays in the foreground, starts again what dies and ends all of it on SIGINT or SIGTERM. Its children end
with it, however it ends. The variables it reads are told in docs/operations.md.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import sqlalchemy.exc
from alembic.util import CommandError
from sqlalchemy import make_url

from tools import database, migrate, postgres, supervisor
from tools.processes import free_port, spawn
from tools.supervisor import Program, ProgramError, Say, Stopping

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SEEDS = ("none", "reference", "sample")


def _variable(service: str) -> str:
    return f"{service.upper()}_DATABASE_URL"


# No child gets the administrator's URL, and each service only its own.
WITHHELD = {"DATABASE_URL", *map(_variable, database.SERVICES)}


class ConfigurationError(ValueError):
    """A variable or the machine is not as it must be; nothing was started."""


@dataclass(frozen=True)
class Configuration:
    """What the environment asks for."""

    gateway_port: int
    data: Path
    database_url: str | None
    seed: str
    development: bool
    environment: Mapping[str, str]

    @property
    def ports(self) -> dict[str, int]:
        """The gateway's port, and after it the services' in their order."""
        return {name: self.gateway_port + n for n, name in enumerate(("gateway", *database.SERVICES))}

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Configuration":
        """Raises ConfigurationError for a value that cannot be meant."""
        given = {name: value for name, value in environment.items() if value}
        development = given.get("ENVIRONMENT", "production") == "development"
        port = given.get("GATEWAY_PORT", "8000")
        if not port.isdigit() or not 1 <= int(port) <= 65_535 - len(database.SERVICES):
            raise ConfigurationError(f"GATEWAY_PORT is {port}: it and the four ports after it must be ports")
        seed = given.get("SEED", "sample" if development else "none")
        if seed not in SEEDS:
            raise ConfigurationError(f"SEED is {seed}: it must be one of {', '.join(SEEDS)}")
        if seed == "sample" and not development:
            raise ConfigurationError("SEED is sample: samples are for ENVIRONMENT=development alone")
        data = Path(given.get("DATA_DIR", ".data")).absolute()
        return cls(int(port), data, given.get("DATABASE_URL"), seed, development, given)

    def check_ports(self) -> None:
        """Raises ConfigurationError where somebody listens on a port already."""
        for name, port in self.ports.items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError as error:
                    last = self.gateway_port + len(database.SERVICES)
                    raise ConfigurationError(
                        f"port {port} ({name}) cannot be had: {error.strerror}. "
                        f"GATEWAY_PORT={self.gateway_port} takes the ports {self.gateway_port} to {last}; "
                        "set it to the first of five that are free"
                    ) from None

    def child_environment(self) -> dict[str, str]:
        """What every child gets: the caller's variables but the databases', and where the others are."""
        common = {name: value for name, value in self.environment.items() if name not in WITHHELD}
        common |= {"DATA_DIR": str(self.data), "HOST": HOST, "PYTHONUNBUFFERED": "1", "SEED": self.seed}
        common |= {f"{name.upper()}_URL": f"http://{HOST}:{port}" for name, port in self.ports.items()}
        common.setdefault("PUBLIC_URL", f"http://{HOST}:{self.gateway_port}")
        if self.development and "OIDC_ISSUER" not in common:
            common.setdefault("OIDC_JWKS_URL", f"http://{HOST}:{self.gateway_port}/dev/jwks.json")
        return common


def _application(module: str, name: str, environment: Mapping[str, str], port: int, logs: Path) -> Program:
    log = logs / f"{name}.log"

    def launch() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return spawn(
                [sys.executable, "-m", "shared.serve", module],
                death=signal.SIGKILL,  # whatever it holds is in a transaction
                cwd=ROOT,
                env={**environment, "PORT": str(port)},
                stdout=output,
                stderr=output,
            )

    return Program(name, launch, lambda process: _answers(port), log)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def _server(cluster: postgres.Cluster, port: int) -> Program:
    return Program(
        "PostgreSQL",
        partial(postgres.launch, cluster, port),
        partial(postgres.ready, cluster),
        cluster.log,
        end=signal.SIGINT,
        patience=15,
    )


def _prepare(admin_url: str, environment: Mapping[str, str], say: Say) -> dict[str, str]:
    """The admin step and the migrations; gives each service's URL."""
    urls = database.service_urls(admin_url, environment)
    database.prepare(admin_url, urls)
    migrate.upgrade(urls, say)
    return urls


@contextlib.contextmanager
def _seeding(environment: Mapping[str, str], log: Path, say: Say) -> Iterator[None]:
    """Load the records while the block runs, and wait for the end of it; a second try adds what the first could not."""

    def load() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return spawn(
                [sys.executable, "-m", "tools.seed"],
                death=signal.SIGKILL,
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
            )

    process = load()
    try:
        yield
        if process.wait():
            say(f"loading the records failed (see {log}); trying once more")
            process = load()
        if process.wait():
            raise ProgramError(f"loading the records failed:\n{postgres.tail(log)}")
    finally:
        process.kill()


def run(configuration: Configuration, stages: list[list[Program]], say: Say, abandoned: Callable[[], bool]) -> None:
    """Start everything in order and keep it running; ``stages`` grows by what is to be stopped in the end."""
    configuration.check_ports()
    logs = configuration.data / "logs"
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)

    def begin(*programs: Program) -> None:
        stages.append(list(programs))
        supervisor.start(programs)

    if configuration.database_url:
        admin_url = configuration.database_url
        environment = {**configuration.environment, "DATA_DIR": str(configuration.data)}
    else:
        cluster = postgres.claim(configuration.data, say)
        port = free_port()
        begin(_server(cluster, port))
        say(f"PostgreSQL is ready on port {port}")
        admin_url, environment = cluster.url(port, database.DEFAULT_DATABASE), {}
    urls = _prepare(admin_url, environment, say)
    say(f"roles, schemas and migrations are in place; starting {', '.join(urls)}")

    children = configuration.child_environment()
    own = {_variable(service): url for service, url in urls.items()}
    seeding: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if configuration.seed != "none":
        say(f"loading records (SEED={configuration.seed})")
        seeding = _seeding(children | own, logs / "seed.log", say)
    with seeding:
        begin(
            *(
                _application(
                    f"services.{service}.app",
                    service,
                    children | {_variable(service): url},
                    configuration.ports[service],
                    logs,
                )
                for service, url in urls.items()
            )
        )
        say("the services are ready")
    say("starting the gateway")
    public = children | {"HOST": configuration.environment.get("HOST", HOST)}
    begin(_application("gateway.app", "gateway", public, configuration.gateway_port, logs))
    say("ready")
    _print(_welcome(configuration, admin_url))
    supervisor.keep([program for stage in stages for program in stage], say, abandoned)


def _welcome(configuration: Configuration, admin_url: str) -> str:
    gateway = f"http://{HOST}:{configuration.gateway_port}"
    ours = configuration.development and not configuration.database_url
    url = make_url(admin_url).render_as_string(hide_password=not ours)
    rows = [
        ("gateway", gateway),
        ("documents", f"{gateway}/docs"),
        *((name, f"http://{HOST}:{port}") for name, port in configuration.ports.items() if name != "gateway"),
        ("database", url),
        ("logs", str(configuration.data / "logs")),
    ]
    lines = ["", *(f"  {name:<10} {value}" for name, value in rows), ""]
    if configuration.development and "OIDC_ISSUER" not in configuration.environment:
        lines += [
            f"  A token:   curl -s -d username=amina -d roles=secretariat -d entity=un-network {gateway}/dev/token",
        ]
    return "\n".join([*lines, "  To stop:   Ctrl-C, or SIGTERM", ""])


def _print(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads any more: no reason to end
        print(text, flush=True)


def main() -> int:
    began = time.monotonic()

    def say(line: str) -> None:
        _print(f"[{time.monotonic() - began:6.1f} s] {line}")

    abandoned = supervisor.abandoned_by(os.getppid()) if "--under-make" in sys.argv[1:] else lambda: False
    stages: list[list[Program]] = []
    try:
        with supervisor.interruptible():
            run(Configuration.read(os.environ), stages, say, abandoned)
    except Stopping:
        pass
    except (
        ConfigurationError,
        ProgramError,
        CommandError,
        database.DatabaseError,
        postgres.ServerError,
        psycopg.Error,
        sqlalchemy.exc.SQLAlchemyError,
    ) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        for stage in reversed(stages):
            supervisor.stop(stage)
    say("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
