"""Everything at once, as a developer runs it: real processes, real signals."""

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tools import database, postgres, stack

ROOT = Path(__file__).parents[2]


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def five_free_ports() -> int:
    """The first of five ports in a row that nobody listens on."""
    while True:
        first = random.randrange(20_000, 30_000)  # noqa: S311
        with contextlib.suppress(OSError), contextlib.ExitStack() as probes:
            for port in range(first, first + 5):
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


@dataclass
class Running:
    """A stack that was started, and what it says."""

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        return "] ready" in self.said()

    def answers(self, name: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port + NAMES.index(name), timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False

    def database(self) -> str:
        return next(line.split()[1] for line in self.said().splitlines() if line.startswith("  database"))

    def ended(self) -> int:
        """The exit code, once it has ended and nothing of it is left."""
        code = self.process.wait(120)
        wait_until(lambda: not processes(self.data), 30)
        return code


NAMES = ("gateway", *database.SERVICES)


def processes(data: Path) -> dict[int, str]:
    """Command lines, by number, of whatever runs on this data folder."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.name != str(os.getpid()):
                command = (entry / "cmdline").read_bytes()
                if os.fsencode(data) in command + (entry / "environ").read_bytes():
                    found[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return found


def number_of(data: Path, words: str) -> int:
    return next(number for number, command in sorted(processes(data).items()) if words in command)


@contextlib.contextmanager
def launched(data: Path, *, command: tuple[str, ...] = (), **variables: str) -> Iterator[Running]:
    """A stack that is starting; killed at the end if it still lives."""
    port = int(variables.get("GATEWAY_PORT") or five_free_ports())
    inherited = {k: v for k, v in os.environ.items() if not k.endswith("DATABASE_URL")}
    environment = {"ENVIRONMENT": "development", "SEED": "none"} | variables
    output = data.with_name(f"{data.name}.{time.monotonic_ns()}.txt")
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command or (sys.executable, "-m", "tools.stack"),
            cwd=ROOT,
            env=inherited | environment | {"DATA_DIR": str(data), "GATEWAY_PORT": str(port)},
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        yield Running(process, port, data, output)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not processes(data), 20)


@contextlib.contextmanager
def started(data: Path, *, command: tuple[str, ...] = (), **variables: str) -> Iterator[Running]:
    """A stack that is ready."""
    with launched(data, command=command, **variables) as running:
        wait_until(running.is_ready, 120)
        yield running


@pytest.fixture(scope="module")
def up(module_folder: Path) -> Iterator[Running]:
    with started(module_folder / "data") as running:
        yield running


def test_everything_answers_and_is_told(up: Running) -> None:
    assert all(up.answers(name) for name in NAMES)
    for name, port in zip(NAMES, range(up.port, up.port + 5), strict=True):
        assert f"{name:<10} http://127.0.0.1:{port}" in up.said()
    for word in ("/docs", "/dev/token", "Ctrl-C", str(up.data / "logs")):
        assert word in up.said()


def test_each_process_gets_only_its_own_database(up: Running) -> None:
    roles = {name: [f"gcm_{name}"] for name in database.SERVICES} | {"gateway": []}
    for name, expected in roles.items():
        module = "gateway.app" if name == "gateway" else f"services.{name}.app"
        environment = Path(f"/proc/{number_of(up.data, module)}/environ").read_bytes().decode().split("\0")
        urls = [line.partition("=")[2] for line in environment if "postgresql://" in line]
        assert [url.split("//")[1].split(":")[0] for url in urls] == expected


@pytest.mark.parametrize("module", ["services.practices.app", "gateway.app"])
def test_a_killed_process_comes_back(up: Running, module: str) -> None:
    name = module.removeprefix("services.").removesuffix(".app")
    killed = number_of(up.data, module)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: f"{name} is back" in up.said())
    assert number_of(up.data, module) != killed
    assert all(up.answers(each) for each in NAMES)


def test_a_killed_server_comes_back_with_its_data(up: Running) -> None:
    with psycopg.connect(up.database()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    os.kill(number_of(up.data, "/postgres -D"), signal.SIGKILL)
    wait_until(lambda: "PostgreSQL is back" in up.said())
    with psycopg.connect(up.database()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    wait_until(lambda: all(up.answers(name) for name in NAMES))


def test_another_stack_beside_it_survives_kill_and_start(up: Running, folder: Path) -> None:
    """Killed, it leaves nothing running; started again, it finds its data; asked twice, it ends once."""
    data = folder / "data"
    with started(data) as other:
        with psycopg.connect(other.database()) as connection:
            connection.execute("CREATE TABLE beside AS SELECT 1 AS n")
        other.process.kill()
        assert other.ended() == -signal.SIGKILL
    with started(data) as other:
        with psycopg.connect(other.database()) as connection:
            assert connection.execute("SELECT n FROM beside").fetchone() == (1,)
        for _ in range(2):
            os.killpg(other.process.pid, signal.SIGTERM)
            time.sleep(0.1)
        assert other.ended() == 0
        assert other.said().rstrip().endswith("stopped")
    with psycopg.connect(up.database()) as connection:
        assert connection.execute("SELECT to_regclass('beside')").fetchone() == (None,)
    assert all(up.answers(name) for name in NAMES)


def test_an_interrupt_of_make_alone_ends_it(folder: Path) -> None:
    makefile = folder / "Makefile"
    makefile.write_text(f"run:\n\t@{sys.executable} -m tools.stack --under-make\n")
    with started(folder / "data", command=("make", "-f", str(makefile), "run")) as running:
        running.process.send_signal(signal.SIGINT)
        running.ended()
        assert running.said().rstrip().rpartition("] stopped")[1]


def test_it_can_be_stopped_while_it_starts(folder: Path) -> None:
    with launched(folder / "data") as running:
        wait_until(lambda: "starting pledges" in running.said())
        running.process.send_signal(signal.SIGINT)
        assert running.ended() == 0


def test_on_a_server_that_stands(folder: Path) -> None:
    with (
        postgres.running(folder / "server", "gcm", say=lambda line: None, durable=False) as url,
        started(folder / "data", DATABASE_URL=url) as running,
    ):
        assert all(running.answers(name) for name in NAMES)
        assert not (folder / "data" / "postgres").exists()
        running.process.send_signal(signal.SIGTERM)
        assert running.ended() == 0
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_busy_port_is_told_before_anything_starts(folder: Path) -> None:
    first = five_free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 3))
        taken.listen()
        with launched(folder / "data", GATEWAY_PORT=str(first)) as running:
            assert running.ended() == 1
    assert f"port {first + 3} (mptf) cannot be had" in running.said()
    assert "GATEWAY_PORT" in running.said()
    assert not (folder / "data").exists()


def test_a_service_that_cannot_start_ends_all_with_its_reason(folder: Path) -> None:
    """Outside development there must be a provider of tokens."""
    with launched(folder / "data", ENVIRONMENT="production") as running:
        assert running.ended() == 1
    assert "while it started" in running.said()
    assert "OIDC_ISSUER" in running.said()


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"GATEWAY_PORT": "web"}, "GATEWAY_PORT is web"),
        ({"GATEWAY_PORT": "65532"}, "GATEWAY_PORT is 65532"),
        ({"SEED": "all"}, "SEED is all"),
        ({"SEED": "sample"}, "for ENVIRONMENT=development alone"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_refused(variables: dict[str, str], reason: str) -> None:
    with pytest.raises(stack.ConfigurationError, match=reason):
        stack.Configuration.read(variables)


def test_what_is_not_given_has_a_default() -> None:
    plain = stack.Configuration.read({"SEED": "", "GATEWAY_PORT": ""})
    assert (plain.gateway_port, plain.data, plain.seed) == (8000, Path(".data").absolute(), "none")
    assert plain.ports == dict(zip(NAMES, range(8000, 8005), strict=True))
    assert stack.Configuration.read({"ENVIRONMENT": "development"}).seed == "sample"


def test_children_are_told_where_tokens_are_checked() -> None:
    plain = stack.Configuration.read({"ENVIRONMENT": "development", "GATEWAY_PORT": "9000"})
    assert plain.child_environment()["OIDC_JWKS_URL"] == "http://127.0.0.1:9000/dev/jwks.json"
    provider = {"OIDC_ISSUER": "https://login.example.org"}
    assert "OIDC_JWKS_URL" not in stack.Configuration.read(provider).child_environment()
