"""Child processes that end when their parent ends, however it ends."""

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

# Loaded here: between fork and exec nothing may be imported, and another account may not read it.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1

_ends: list[int] = []  # the pipes' ends that say "alive" where the kernel offers no signal for it


def spawn(command: Sequence[str], *, death: signal.Signals, **options: Any) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own; it gets the signal ``death`` once this process is gone.

    Call it from the main thread: on Linux the signal comes when the thread ends that made the child.
    ``options`` go to ``subprocess.Popen``.
    """
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("start_new_session", True)
    parent = os.getpid()
    if _LIBC is not None:
        libc = _LIBC

        def bind() -> None:
            libc.prctl(_PR_SET_PDEATHSIG, int(death))
            if os.getppid() != parent:  # it ended before the call above
                os._exit(1)

        return subprocess.Popen(command, preexec_fn=bind, **options)  # noqa: PLW1509 (one thread only)
    return spawn_watched(command, death=death, **options)


def spawn_watched(command: Sequence[str], *, death: signal.Signals, **options: Any) -> subprocess.Popen[bytes]:
    """``spawn`` for systems without a parent death signal: a twin of the child waits for a pipe's end."""
    reader, writer = os.pipe()

    def watch() -> None:
        child = os.getpid()
        if os.fork():
            return
        os.dup2(reader, 0)
        os.closerange(1, 4096)
        while os.getppid() == child:
            if select.select([0], [], [], 1)[0]:
                os.kill(child, death)
                break
        os._exit(0)

    try:
        process = subprocess.Popen(command, preexec_fn=watch, **options)  # noqa: PLW1509 (one thread only)
    finally:
        os.close(reader)
    _ends.append(writer)
    return process


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
