"""Files from outside are opened in a process of its own, which may take so much memory and time and no more."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
LONGEST_LINE = 16 * 1024 * 1024


@asynccontextmanager
async def running(module: str, *arguments: str, patience: float) -> AsyncIterator[asyncio.StreamReader]:
    """What `python -m module` prints, while it runs. It gets no environment, and is killed on leaving the block.

    Raises TimeoutError after `patience` seconds, ProcessError where it was ended by its limits or by a fault.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=TOP,
        env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LONGEST_LINE,
    )
    assert process.stdout is not None  # noqa: S101 - it was asked for above
    try:
        async with asyncio.timeout(patience):
            yield process.stdout
            if status := await process.wait():
                raise ProcessError(status)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class ProcessError(Exception):
    """The process did not end by itself and well."""


def confine(memory: int, seconds: int) -> None:
    """Called by that process before it opens anything: bytes of memory, seconds of CPU, and nothing is written."""
    import resource  # noqa: PLC0415 - not everywhere, and needed in the child alone

    limits = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: memory,
    }
    for what, most in limits.items():
        # macOS does not limit address space.
        with suppress(ValueError):
            resource.setrlimit(what, (most, most))
