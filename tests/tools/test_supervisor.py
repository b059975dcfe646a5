"""The supervisor, with small programs in the services' place."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import supervisor
from tools.processes import spawn
from tools.supervisor import Program, ProgramError

ROOT = Path(__file__).parents[2]


def program(folder: Path, name: str, text: str, *, ready: Callable[[], bool] = lambda: True) -> Program:
    """A shell's script to keep running; each start adds a line to ``<name>.starts``."""
    log = folder / f"{name}.log"

    def launch() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            script = f"echo $$ >> {folder}/{name}.starts; {text}"
            return spawn(["/bin/sh", "-c", script], death=signal.SIGKILL, stdout=output, stderr=output)

    return Program(name, launch, lambda process: ready(), log, patience=0.5)


def starts(folder: Path, name: str) -> list[int]:
    file = folder / f"{name}.starts"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def keep_until(programs: list[Program], holds: Callable[[], bool], said: list[str]) -> None:
    deadline = time.monotonic() + 30
    supervisor.keep(programs, said.append, lambda: holds() or time.monotonic() > deadline)
    assert holds()


def test_what_dies_is_started_again_and_its_last_words_are_told(tmp_path: Path) -> None:
    one = program(tmp_path, "one", "echo last words; sleep 60")
    two = program(tmp_path, "two", "sleep 60")
    said: list[str] = []
    supervisor.start([one, two])
    try:
        assert one.process
        while "last words" not in one.log.read_text():
            time.sleep(0.02)
        one.process.kill()
        keep_until([one, two], lambda: "one is back" in said, said)
    finally:
        supervisor.stop([one, two])
    assert len(starts(tmp_path, "one")) == 2
    assert len(starts(tmp_path, "two")) == 1
    assert "one was ended by SIGKILL; it starts again in 1 s" in said[0]
    assert "last words" in said[0]


def test_the_pause_grows_while_it_goes_on_dying(tmp_path: Path) -> None:
    bad = program(tmp_path, "bad", "exit 3")
    said: list[str] = []
    bad.start()
    keep_until([bad], lambda: len(starts(tmp_path, "bad")) >= 3, said)
    supervisor.stop([bad])
    told = [line for line in said if "starts again" in line]
    assert "ended with code 3; it starts again in 1 s" in told[0]
    assert "it starts again in 2 s" in told[1]


def test_the_pause_is_short_again_after_a_long_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "SETTLED", 0.0)
    bad = program(tmp_path, "bad", "exit 3")
    said: list[str] = []
    bad.start()
    keep_until([bad], lambda: len(starts(tmp_path, "bad")) >= 3, said)
    supervisor.stop([bad])
    assert all("it starts again in 1 s" in line for line in said if "starts again" in line)


def test_one_that_ends_while_it_starts_is_an_error_with_its_log(tmp_path: Path) -> None:
    good = program(tmp_path, "good", "sleep 60")
    bad = program(tmp_path, "bad", "echo no such setting; exit 1", ready=lambda: False)
    try:
        with pytest.raises(ProgramError, match=r"bad ended with code 1 while it started:\nno such setting"):
            supervisor.start([good, bad])
    finally:
        supervisor.stop([good, bad])


def test_one_that_is_never_ready_is_an_error(tmp_path: Path) -> None:
    slow = program(tmp_path, "slow", "sleep 60", ready=lambda: False)
    try:
        with pytest.raises(ProgramError, match="not ready within 0 s: slow"):
            supervisor.start([slow], seconds=0.2)
    finally:
        supervisor.stop([slow])


def test_stop_kills_what_does_not_end_and_what_it_started(tmp_path: Path) -> None:
    deaf = program(tmp_path, "deaf", f"trap '' TERM; sleep 61 & echo $! >> {tmp_path}/child.starts; sleep 61; sleep 61")
    supervisor.start([deaf])
    while not starts(tmp_path, "child"):
        time.sleep(0.02)
    supervisor.stop([deaf])
    assert deaf.process
    assert deaf.process.returncode == -signal.SIGKILL
    child = Path(f"/proc/{starts(tmp_path, 'child')[0]}/stat")
    deadline = time.monotonic() + 5
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_log_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LARGEST_LOG", 2_000)
    go = tmp_path / "go"
    text = f"seq 1000; while [ ! -e {go} ]; do sleep 0.05; done; echo more; sleep 60"
    chatty = program(tmp_path, "chatty", text)
    supervisor.start([chatty])
    try:
        keep_until([chatty], (tmp_path / "chatty.log.1").exists, [])
        assert chatty.log.stat().st_size == 0
        go.touch()
        while not chatty.log.stat().st_size:
            time.sleep(0.02)
        assert chatty.log.read_text() == "more\n"
    finally:
        supervisor.stop([chatty])


INTERRUPTED = """
import time
from tools import supervisor
try:
    with supervisor.interruptible():
        print("ready", flush=True)
        time.sleep(60)
except supervisor.Stopping:
    print("stopping", flush=True)
    time.sleep(1)
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_cut_the_stopping_short(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, number)
        assert process.stdout.readline() == "stopping\n"
        os.killpg(process.pid, number)
        assert process.stdout.readline() == "stopped\n"
    assert process.returncode == 0


UNDER_MAKE = """
import os, sys
from pathlib import Path
from tools import supervisor
abandoned = supervisor.abandoned_by(os.getppid())
print("ready", flush=True)
try:
    with supervisor.interruptible():
        supervisor.keep([], print, abandoned)
except supervisor.Stopping:
    print("asked", flush=True)
else:
    print("abandoned", flush=True)
"""


@pytest.mark.parametrize(
    ("number", "why"), [(signal.SIGINT, "abandoned"), (signal.SIGTERM, "asked"), (signal.SIGKILL, "abandoned")]
)
def test_under_make_a_signal_to_make_alone_is_enough(tmp_path: Path, number: signal.Signals, why: str) -> None:
    (tmp_path / "script.py").write_text(UNDER_MAKE)
    (tmp_path / "Makefile").write_text(f"run:\n\t@{sys.executable} {tmp_path / 'script.py'}\n")
    with subprocess.Popen(
        # The tests may be run by make themselves, which would make this one say where it is.
        ["make", "--no-print-directory", "-f", str(tmp_path / "Makefile"), "run"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as make:
        assert make.stdout
        assert make.stdout.readline() == "ready\n"
        time.sleep(0.3)
        make.send_signal(number)
        assert make.stdout.readline() == f"{why}\n"
