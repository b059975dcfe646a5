"""The walk in the README is what a newcomer sees: its commands run, their output is the one printed there."""

import os
import re
import subprocess
from pathlib import Path

from tests.tools.test_stack import started

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
MARK = "=== end of a block ==="


def steps() -> list[tuple[str, str]]:
    """Each block of commands with the output that follows it, or none."""
    walk = README.read_text("utf-8").partition("<!-- walk -->")[2].partition("<!-- end of the walk -->")[0]
    found: list[tuple[str, str]] = []
    for language, text in BLOCK.findall(walk):
        if language == "sh":
            found.append((text, ""))
        else:
            found[-1] = (found[-1][0], text)
    return found


def test_the_walk_is_real(module_folder: Path) -> None:
    walk = steps()
    assert len(walk) >= 8
    script = "set -euo pipefail\n" + "".join(f"{commands}\necho; echo '{MARK}'\n" for commands, _ in walk)
    with started(module_folder, SEED="reference") as up:
        environment = {**os.environ, "GATEWAY": f"http://127.0.0.1:{up.port}"}
        ran = subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert ran.returncode == 0, ran.stderr
    printed = [part.strip() for part in ran.stdout.split(MARK)][:-1]
    assert printed == [expected.strip() for _, expected in walk]
