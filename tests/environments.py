"""Virtual environments of tools whose dependencies must not meet those of what runs."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[1]


def environment(name: str) -> Path:
    """The `bin` of `.venv-<name>`, made from `requirements-<name>.lock` unless it was already."""
    place = TOP / f".venv-{name}"
    lock = TOP / f"requirements-{name}.lock"
    made_from = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    stamp = place / ".made-from"
    # Parallel test processes: one installs, the others wait.
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != made_from:
            shutil.rmtree(place, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
            pip: list[str | Path] = [
                place / "bin" / "python",
                "-m",
                "pip",
                "install",
                "-qq",
                "--disable-pip-version-check",
            ]
            subprocess.run([*pip, "--require-hashes", "-r", lock], check=True, timeout=600)
            stamp.write_text(made_from)
    return place / "bin"
