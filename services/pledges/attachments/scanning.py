"""Whoever looks for malware in files: clamd on a socket, or a command."""

import asyncio
import shlex
from pathlib import Path
from urllib.parse import urlsplit

PIECE = 64 * 1024
PATIENCE = 60.0


class ScannerError(Exception):
    """The scanner does not answer, or not as scanners do."""


async def infected(scan_with: str, path: Path) -> bool:
    """Whether the scanner that the setting names finds something. Raises ScannerError where it cannot tell."""
    scheme = urlsplit(scan_with).scheme
    try:
        async with asyncio.timeout(PATIENCE):
            if scheme in ("clamd", "unix"):
                return await _clamd(scan_with, path)
            return await _command(scan_with, path)
    except (TimeoutError, OSError) as error:
        raise ScannerError(f"the scanner cannot be asked: {type(error).__name__}") from None


async def _clamd(address: str, path: Path) -> bool:
    """clamd's INSTREAM: pieces, each after its length, then a length of nothing."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(parts.path)
    else:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 3310)
    try:
        writer.write(b"zINSTREAM\0")
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                writer.write(len(piece).to_bytes(4, "big") + piece)
                await writer.drain()
        writer.write(bytes(4))
        await writer.drain()
        answer = (await reader.read(4096)).rstrip(b"\0\n")
    finally:
        writer.close()
    if answer.endswith(b" FOUND"):
        return True
    if answer.endswith(b" OK"):
        return False
    raise ScannerError("the scanner answers with an error")


async def _command(command: str, path: Path) -> bool:
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command),
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status not in (0, 1):
        raise ScannerError(f"the scanner exits with {status}")
    return status == 1
