"""Children end with their parent, by the kernel's signal or by a pipe's end."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PARENT = """
import signal, sys, time
from tools import processes
child = getattr(processes, sys.argv[1])([sys.executable, "-c", sys.argv[2]], death=signal.SIGTERM)
print(child.pid, flush=True)
if sys.argv[3] == "wait":
    print(child.wait(), flush=True)
else:
    time.sleep(60)
"""


def gone(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("way", ["spawn", "spawn_watched"])
def test_a_child_ends_when_its_parent_is_killed(way: str, tmp_path: Path) -> None:
    mark = tmp_path / "asked"
    child = (
        "import signal, sys, time; from pathlib import Path\n"
        f"def end(*_): Path({str(mark)!r}).touch(); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"Path({str(mark)!r} + '.ready').touch()\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, way, child, "sleep"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        number = int(parent.stdout.readline())
        while not mark.with_name("asked.ready").exists():
            time.sleep(0.02)
        parent.kill()
    deadline = time.monotonic() + 10
    while not gone(number):
        assert time.monotonic() < deadline, "the child outlives its parent"
        time.sleep(0.02)
    assert mark.exists(), "it was not asked by the signal it was to get"


@pytest.mark.parametrize("way", ["spawn", "spawn_watched"])
def test_the_parent_learns_how_a_child_ended(way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARENT, way, "raise SystemExit(7)", "wait"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert done.stdout.split()[1] == "7"
