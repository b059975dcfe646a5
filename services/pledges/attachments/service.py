"""A file on its way in: taken in pieces, named, looked into, scanned; and who may have it."""

import json
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.pledges import service
from services.pledges.attachments import files, scanning
from services.pledges.lifecycle import EDITABLE
from services.pledges.models import Attachment, Pledge
from shared import confined, records
from shared.auth import Caller
from shared.lifecycle import owns
from shared.problems import Fault, Problem
from shared.settings import Settings

log = structlog.get_logger("attachments")

LIMIT = 25 * 1024 * 1024
PATIENCE = 30.0
NAME_BYTES = 200


def cleaned(name: str) -> str:
    """A file's name without folders, control characters and what confuses shells and screens."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Cc, Cf (which turn the direction of writing), lone surrogates, line separators.
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"))
    name = re.sub(r'[<>:"|?*]', "_", " ".join(name.split())).strip(". ")
    stem, dot, extension = name.rpartition(".")
    while len(name.encode()) > NAME_BYTES and stem:
        stem = stem[:-1]
        name = stem + dot + extension
    return name


async def take(
    session: AsyncSession,
    pledge: Pledge,
    content: AsyncIterator[bytes],
    caller: Caller,
    settings: Settings,
    *,
    name: str,
    public: bool,
) -> Attachment:
    """Keep a file as the pledge's attachment. 413 over the limit, 422 where it is refused, 409 at the wrong moment."""
    if pledge.status not in EDITABLE:
        raise Problem("conflict", f"A pledge is edited in {', '.join(sorted(EDITABLE))}; this one is {pledge.status}.")
    name = cleaned(name)
    stem, _, extension = name.rpartition(".")
    if not stem:
        raise Problem(
            "invalid",
            "The file needs a name that ends in its kind.",
            [Fault(pointer="?name", detail="Such as plan.pdf.")],
        )
    with tempfile.TemporaryDirectory(prefix="attachment-") as folder:
        path = Path(folder, "file")
        digest, size = await _receive(content, path)
        media_type = await _inspected(path, extension.lower())
        await _scan(settings, path)
        about = {"digest": digest, "size": size, "name": name, "media_type": media_type, "public": public}
        made = await files.put(session, pledge, path, **about, created_by=caller.sub)
    await _note(session, pledge, caller, "attach")
    return made


async def _receive(content: AsyncIterator[bytes], path: Path) -> tuple[str, int]:
    digest, size = sha256(), 0
    with path.open("wb") as file:
        async for part in content:
            size += len(part)
            if size > LIMIT:
                raise Problem("too-large", f"The file is over the limit of {LIMIT} bytes.")
            digest.update(part)
            file.write(part)
    return digest.hexdigest(), size


def _refused(detail: str) -> Problem:
    return Problem("invalid", "The file is refused.", [Fault(pointer="", detail=detail)])


async def _inspected(path: Path, extension: str) -> str:
    """The media type that the confined process finds, or 422."""
    inspecting = confined.running("services.pledges.attachments.inspecting", str(path), extension, patience=PATIENCE)
    try:
        async with inspecting as printed:
            answer: dict[str, Any] = json.loads(await printed.read())
    except (confined.ProcessError, TimeoutError, ValueError):
        raise _refused("The file takes more memory or time than its size explains.") from None
    if "error" in answer:
        raise _refused(answer["error"])
    return str(answer["media_type"])


async def _scan(settings: Settings, path: Path) -> None:
    if settings.scan_with is None:
        return
    try:
        found = await scanning.infected(settings.scan_with, path)
    except scanning.ScannerError:
        log.exception("scan failed")
        detail = "Files cannot be looked into just now. Retry later."
        raise Problem("unavailable", detail, headers={"retry-after": "60"}) from None
    if found:
        raise _refused("The scanner finds malware in it.")


async def remove(session: AsyncSession, pledge: Pledge, attachment: Attachment, caller: Caller) -> None:
    """Take the attachment from the working record; publications keep theirs. 409 at the wrong moment."""
    if pledge.status not in EDITABLE:
        raise Problem("conflict", f"A pledge is edited in {', '.join(sorted(EDITABLE))}; this one is {pledge.status}.")
    await session.delete(attachment)
    await _note(session, pledge, caller, "detach")


async def _note(session: AsyncSession, pledge: Pledge, caller: Caller, action: str) -> None:
    pledge.touch()
    if not owns(caller, pledge):
        session.add(records.note(pledge, caller, action, left=pledge.status))
    await session.flush()


async def readable(session: AsyncSession, pledge: Pledge, caller: Caller | None) -> Attachment:
    """The working record's for its owner and staff; for everyone else the publication's, where it is public."""
    none = Problem("not-found", "There is no attachment here that you may see.")
    if service.sees_working(caller, pledge):
        found = await files.of(session, pledge.id)
    elif not pledge.public:
        raise records.hidden(Pledge.noun, pledge.version)
    else:
        found = await files.of(session, pledge.id, pledge.version)
        if found is not None and not found.public:
            raise none
    if found is None:
        raise none
    return found
