"""Fuzz the running platform against its contract, as a stranger and as each kind of caller.

`python -m tests.contract.fuzz` starts a stack of its own on free ports, with samples, and runs Schemathesis from its
own environment; it exits with 1 if anything is found. `--url URL` takes a running stack, `--caller NAME` one caller.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.environments import TOP, environment
from tools.processes import spawn

CONTRACT = TOP / "gateway" / "openapi.json"
BRIEF = "examples,fuzzing,stateful"
# Coverage goes through the edges of every schema, some 200 requests an operation: once, as who may do most.
EVERYTHING = f"{BRIEF},coverage"


class Caller(NamedTuple):
    """Who calls: the fields of a development token (none for a stranger), and how much is tried as them."""

    token: dict[str, str]
    phases: str = BRIEF
    examples: int = 5


CALLERS = {
    "secretariat": Caller({"roles": "secretariat", "entity": "un-network-secretariat"}, EVERYTHING),
    "stranger": Caller({}),
    "entity": Caller({"entity": "gov-ken"}),
    "reviewer": Caller({"roles": "reviewer", "entity": "un-iom"}),
    "resident_coordinator": Caller({"roles": "resident_coordinator", "entity": "un-rco-ken", "countries": "KEN"}),
    "fund_management_unit": Caller({"roles": "fund_management_unit", "entity": "un-mptf"}),
    "steering_committee": Caller({"roles": "steering_committee", "entity": "un-ohchr"}),
}


def free_ports(count: int) -> int:
    """The first of `count` free ports in a row."""
    for first in range(20_000, 30_000, 17):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + count):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise OSError("no free ports in a row")


@contextlib.contextmanager
def stack() -> Iterator[str]:
    """The gateway's address while a stack with samples runs."""
    port = free_ports(5)
    with tempfile.TemporaryDirectory(prefix="gcm-fuzz-", dir="/tmp") as folder:
        log = Path(folder) / "stack.log"
        variables = {"ENVIRONMENT": "development", "SEED": "sample", "GATEWAY_PORT": str(port), "DATA_DIR": folder}
        with log.open("w") as output:
            process = spawn(
                [sys.executable, "-m", "tools.stack"],
                death=signal.SIGTERM,
                cwd=TOP,
                env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 180
            while not _ready(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the stack did not start:\n{log.read_text()}")
                time.sleep(0.2)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _ready(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    return False


def token(url: str, caller: str) -> str:
    """An access token of the development provider for that caller."""
    form = {"username": f"fuzz-{caller}", "password": "any", **CALLERS[caller].token}
    made = str(httpx.post(f"{url}/dev/token", data=form, timeout=10).raise_for_status().json()["access_token"])
    # A caller whose token is not accepted would be refused everywhere, and find nothing.
    headers = {"Authorization": f"Bearer {made}"}
    httpx.get(f"{url}/v1/pledges", params={"view": "mine"}, headers=headers, timeout=10).raise_for_status()
    return made


def fuzz(url: str, caller: str, reports: Path, *, explore: bool = False) -> tuple[dict[str, Any], str]:
    """One run as that caller: Schemathesis's report, and what it printed.

    With `explore` it draws from what the server answered, and other requests each time.
    """
    report = reports / f"{caller}.json"
    settings = (TOP / "tests/contract/schemathesis.toml").read_text()
    if explore:
        settings = settings.partition("\n# What the server answered")[0].replace("seed = 20181219\n", "")
    config = reports / f"{caller}.toml"
    config.write_text(settings)
    who = CALLERS[caller]
    run = subprocess.run(
        [
            *(environment("schemathesis") / "schemathesis", "--config-file", config),
            *("run", CONTRACT, "--url", url, "--checks", "all", "--no-color"),
            *("--phases", who.phases, "--max-examples", str(who.examples)),
            *("--report", "json", "--report-json-path", report),
            *(("--header", f"Authorization: Bearer {token(url, caller)}") if who.token else ()),
        ],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if not report.exists():
        raise RuntimeError(run.stdout + run.stderr)
    report.with_suffix(".txt").write_text(run.stdout)
    return json.loads(report.read_text()), run.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the running platform against its contract.")
    parser.add_argument("--url", help="of a gateway that runs already, in development")
    parser.add_argument("--caller", choices=CALLERS, action="append", help="as this caller only")
    parser.add_argument("--reports", type=Path, help="a folder to keep the reports in")
    parser.add_argument("--explore", action="store_true", help="draw from answers too, differently each time")
    asked = parser.parse_args()
    environment("schemathesis")
    passed = failed = 0
    with contextlib.ExitStack() as open_:
        url = asked.url or open_.enter_context(stack())
        reports = asked.reports or Path(open_.enter_context(tempfile.TemporaryDirectory()))
        reports.mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = {
                caller: pool.submit(fuzz, url, caller, reports, explore=asked.explore)
                for caller in asked.caller or CALLERS
            }
            for caller, run in runs.items():
                report, printed = run.result()
                cases, operations = report["test_cases"], report["operations"]
                whole = operations["tested"] == operations["total"] and report["complete"] and cases["generated"]
                good = whole and not report["failures"] and not report["errors"]
                passed, failed = passed + bool(good), failed + (not good)
                said = f"{operations['tested']} operations, {cases['generated']} requests"
                verdict = "ok    " if good else "FAILED"
                print(f"{verdict} {caller:<22} {said}, {report['running_time']:.0f} s", flush=True)
                if not good:
                    print(printed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
