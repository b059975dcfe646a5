"""Keep a table of programs running: start them in order, start again what dies, stop them in reverse order."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.postgres import tail

LONGEST_PAUSE = 30.0
SETTLED = 60.0  # a program that lived so many seconds starts over with the shortest pause
LARGEST_LOG = 5_000_000  # bytes; as much again is kept in <name>.log.1

Say = Callable[[str], None]


class Stopping(BaseException):
    """Somebody asked for the end."""


class ProgramError(RuntimeError):
    """A program ended, or did not become ready, while everything was being started."""


@dataclass
class Program:
    """A program to keep running, and what is known of its latest process."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    ready: Callable[[subprocess.Popen[bytes]], bool]
    log: Path
    end: signal.Signals = signal.SIGTERM
    patience: float = 3.0  # seconds between asking it to end and killing it
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    pause: float = 0.0
    due: float | None = None  # when to start it again
    announced: bool = True

    def start(self) -> None:
        self.due = None
        self.born = time.monotonic()
        _request.held = True  # in the middle of a launch the new process would be lost from sight
        try:
            self.process = self.launch()
        finally:
            _request.held = False
        _check()

    def is_ready(self) -> bool:
        return self.process is not None and self.process.poll() is None and self.ready(self.process)


@dataclass
class _Request:
    """Whether somebody asked for the end, and whether it must wait a moment."""

    asked: bool = False
    held: bool = False


_request = _Request()


def _check() -> None:
    """Python drops what a signal's handler raises in some places (a ``__del__``): it is asked for again here."""
    if _request.asked:
        raise Stopping


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within the block the first SIGINT, SIGTERM or SIGHUP raises Stopping; all later ones are ignored.

    They stay ignored after the block: what follows is the stopping, which nothing shall cut short.
    """

    def stop(number: int, frame: object) -> None:
        first, _request.asked = not _request.asked, True
        if first and not _request.held:
            raise Stopping

    signals = {signal.SIGINT, signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup's
        signals.add(signal.SIGHUP)
    for number in signals:
        signal.signal(number, stop)
    try:
        yield
    finally:
        _request.asked = True
        for number in signals:
            signal.signal(number, signal.SIG_IGN)


def start(programs: Sequence[Program], seconds: float = 120) -> None:
    """Start programs side by side and wait until all are ready. Raises ProgramError where one is not."""
    for program in programs:
        program.start()
    deadline = time.monotonic() + seconds
    waiting = list(programs)
    while waiting := [program for program in waiting if not program.is_ready()]:
        for program in waiting:
            code = program.process.poll() if program.process else None
            if code is not None:
                raise ProgramError(f"{program.name} {_ended(code)} while it started:\n{tail(program.log)}")
        if time.monotonic() > deadline:
            names = ", ".join(program.name for program in waiting)
            raise ProgramError(f"not ready within {seconds:.0f} s: {names}\n{tail(waiting[0].log)}")
        _check()
        time.sleep(0.05)


def keep(programs: Sequence[Program], say: Say, abandoned: Callable[[], bool] = lambda: False) -> None:
    """Start again whatever ends, after a growing pause, until Stopping is raised or ``abandoned()`` holds."""
    with _woken_by_children() as wait:
        while not abandoned():
            _check()
            for program in programs:
                _tend(program, say)
            wait(1.0)


def abandoned_by(parent: int) -> Callable[[], bool]:
    """What ``keep`` asks: whether ``make``, which waits for this process, has ended or was interrupted.

    GNU make passes SIGINT on to nobody (a terminal's reaches everybody): it stops catching it and waits.
    """

    def catches_interrupts() -> bool:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{parent}/status").read_text().splitlines():
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) & 1 << (signal.SIGINT - 1))
        return False

    caught = catches_interrupts()
    return lambda: os.getppid() != parent or (caught and not catches_interrupts())


def stop(programs: Sequence[Program]) -> None:
    """Ask programs to end, side by side; kill what has not after its patience, and what it left behind."""
    living = [(p, p.process) for p in programs if p.process and p.process.poll() is None]
    for program, process in living:
        process.send_signal(program.end)
    for program, process in living:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(program.patience)
        _sweep(process)
        process.wait()


def _sweep(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group that the process led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _tend(program: Program, say: Say) -> None:
    now = time.monotonic()
    if program.process is not None and (code := program.process.poll()) is not None and program.due is None:
        program.pause = 1.0 if now - program.born > SETTLED else min(max(1.0, program.pause * 2), LONGEST_PAUSE)
        program.due = now + program.pause
        program.announced = False
        _sweep(program.process)
        last = "\n".join(f"    {line}" for line in tail(program.log).splitlines())
        say(f"{program.name} {_ended(code)}; it starts again in {program.pause:.0f} s; its log's end:\n{last}")
    elif program.due is not None and now >= program.due:
        try:
            program.start()
        except (OSError, RuntimeError) as error:
            program.pause = min(program.pause * 2, LONGEST_PAUSE)
            program.due = now + program.pause
            say(f"{program.name} does not start ({error}); once more in {program.pause:.0f} s")
    elif not program.announced and program.due is None and program.is_ready():
        program.announced = True
        say(f"{program.name} is back")
    _bound(program.log)


def _ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _bound(log: Path) -> None:
    """Keep a log small under a process that goes on appending to it."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


@contextlib.contextmanager
def _woken_by_children() -> Iterator[Callable[[float], None]]:
    """A wait of so many seconds at most, cut short when a child ends."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    handler = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait(seconds: float) -> None:
        if select.select([reader], [], [], seconds)[0]:
            os.read(reader, 4096)

    try:
        yield wait
    finally:
        signal.set_wakeup_fd(before)
        signal.signal(signal.SIGCHLD, handler)
        os.close(reader)
        os.close(writer)
