"""What a file really is, told in a process of its own that may take so much memory and time and no more.

`python -m services.pledges.attachments.inspecting PATH EXTENSION` writes `{"media_type": "…"}` or `{"error": "…"}`.
"""

import json
import re
import sys
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import puremagic

from shared.confined import confine

MEMORY = 320 * 1024 * 1024
SECONDS = 20
PARTS = 20_000

_OPEN = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
MEDIA_TYPES = {
    "txt": "text/plain",
    "rtf": "application/rtf",
    "pdf": "application/pdf",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": f"{_OPEN}wordprocessingml.document",
    "xlsx": f"{_OPEN}spreadsheetml.sheet",
    "pptx": f"{_OPEN}presentationml.presentation",
    "odt": f"{_ODF}text",
    "ods": f"{_ODF}spreadsheet",
    "odp": f"{_ODF}presentation",
}
# The stream that makes an old office file what it is (names in its directory are UTF-16).
STREAMS = {"doc": ("WordDocument",), "xls": ("Workbook", "Book"), "ppt": ("PowerPoint Document",)}
OLD_MACROS = ("_VBA_PROJECT", "_VBA_PROJECT_CUR", "Macros")
MACROS = re.compile(r"vbaproject\.bin$|vbadata\.xml$|/macrosheets/|/activex/|/dialogsheets/", re.IGNORECASE)
SCRIPTS = re.compile(r"^(basic|scripts)/.+", re.IGNORECASE)


class RefusedError(Exception):
    """Why the file is not taken, for whoever sent it."""


def media_type(path: Path, extension: str) -> str:
    """The media type of the file's content, which its extension names too. Raises RefusedError."""
    content = path.read_bytes()
    if not content:
        raise RefusedError("The file is empty.")
    judge = {
        "txt": _text,
        "rtf": _rtf,
        "pdf": _pdf,
        **dict.fromkeys(STREAMS, _old),
        **dict.fromkeys(("docx", "xlsx", "pptx"), _open),
        **dict.fromkeys(("odt", "ods", "odp"), _odf),
    }
    if extension not in judge:
        raise RefusedError(f"Files of this kind are not taken: send one of {', '.join(MEDIA_TYPES)}.")
    judge[extension](path, content, extension)
    return MEDIA_TYPES[extension]


def _refuse_other(extension: str) -> RefusedError:
    return RefusedError(f"The content is not what .{extension} files hold.")


def _text(path: Path, content: bytes, extension: str) -> None:
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            raise _refuse_other(extension) from None
    if re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", text):
        raise _refuse_other(extension)
    # Text by its letters may still be a program or a page by its beginning.
    if text.lstrip().startswith(("#!", "<?", "<!", "<html", "<script", "<svg", "%PDF", "{\\rtf", "MZ", "%!PS")):
        raise _refuse_other(extension)


def _magic(content: bytes, extension: str) -> None:
    try:
        found = {each.extension for each in puremagic.magic_string(content)}
    except puremagic.PureError:
        found = set()
    if f".{extension}" not in found:
        raise _refuse_other(extension)


def _rtf(path: Path, content: bytes, extension: str) -> None:
    if not content.startswith(b"{\\rtf"):
        raise _refuse_other(extension)
    if re.search(rb"\\(objdata|objocx|objupdate)", content, re.IGNORECASE):
        raise RefusedError("The file holds an embedded object: take it out.")


def _pdf(path: Path, content: bytes, extension: str) -> None:
    _magic(content, extension)
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-2048:]:
        raise _refuse_other(extension)
    if re.search(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia)\b", content):
        raise RefusedError("The file holds a script, another file or a command: take it out.")


def _old(path: Path, content: bytes, extension: str) -> None:
    if not content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _refuse_other(extension)
    if _entry("EncryptedPackage") in content:
        raise RefusedError("The file is protected by a password: nobody could look into it.")
    if not any(_entry(name) in content for name in STREAMS[extension]):
        raise _refuse_other(extension)
    if any(_entry(name) in content for name in OLD_MACROS):
        raise RefusedError("The file holds macros: save it without them.")


def _entry(name: str) -> bytes:
    return name.encode("utf-16-le") + b"\x00\x00"


def _names(archive: ZipFile) -> list[str]:
    names = archive.namelist()
    if len(names) > PARTS:
        raise RefusedError("The file has too many parts.")
    return names


def _part(archive: ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(1024 * 1024)


def _open(path: Path, content: bytes, extension: str) -> None:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise RefusedError("The file is protected by a password: nobody could look into it.")
    if not content.startswith(b"PK\x03\x04"):
        raise _refuse_other(extension)
    with ZipFile(path) as archive:
        names = _names(archive)
        types = _part(archive, "[Content_Types].xml").decode("utf-8", "replace")
        relations = [_part(archive, name) for name in names if name.endswith(".rels")]
    if any(MACROS.search(name) for name in names) or re.search("macroEnabled|vbaProject|ms-excel.macrosheet", types):
        raise RefusedError("The file holds macros: save it without them.")
    if any(b"attachedTemplate" in each and b"External" in each for each in relations):
        raise RefusedError("The file takes its template from elsewhere: save it without.")
    if f'"{MEDIA_TYPES[extension]}.main+xml"' not in types:
        raise _refuse_other(extension)


def _odf(path: Path, content: bytes, extension: str) -> None:
    if not content.startswith(b"PK\x03\x04"):
        raise _refuse_other(extension)
    with ZipFile(path) as archive:
        names = _names(archive)
        said = _part(archive, "mimetype").decode("ascii", "replace").strip()
        manifest = _part(archive, "META-INF/manifest.xml")
    if said != MEDIA_TYPES[extension]:
        raise _refuse_other(extension)
    if any(SCRIPTS.match(name) for name in names):
        raise RefusedError("The file holds macros: save it without them.")
    if b"encryption-data" in manifest:
        raise RefusedError("The file is protected by a password: nobody could look into it.")


def main() -> None:
    confine(MEMORY, SECONDS)
    try:
        answer = {"media_type": media_type(Path(sys.argv[1]), sys.argv[2])}
    except RefusedError as error:
        answer = {"error": str(error)}
    except (BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError, EOFError, MemoryError, ValueError):
        answer = {"error": "The file is broken: it cannot be unpacked."}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
