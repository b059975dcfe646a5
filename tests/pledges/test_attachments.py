"""The attachment: what is taken and what is refused by its content, who has it, and that versions keep theirs."""

import io
import socket
import stat
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import httpx
import pytest
import xlsxwriter
from sqlalchemy import text

from services.pledges.attachments import files, service
from shared.jobs import Job
from tests.clients import Api
from tests.pledges.conftest import COLLEAGUE, KENYA, NOBODY, PERU, SECRETARIAT
from tests.pledges.content import complete

OOXML = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."


def archive(parts: dict[str, bytes | str], stored: str = "") -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content, compress_type=ZIP_STORED if name == stored else ZIP_DEFLATED)
    return made.getvalue()


def ooxml(kind: str, **parts: bytes) -> bytes:
    main = {"word": "wordprocessingml.document", "ppt": "presentationml.presentation"}[kind]
    types = f'<Types><Override PartName="/{kind}/document.xml" ContentType="{OOXML}{main}.main+xml"/></Types>'
    return archive(
        {"[Content_Types].xml": types, "_rels/.rels": "<Relationships/>", f"{kind}/document.xml": "<d/>", **parts}
    )


def xlsx() -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.add_worksheet().write(0, 0, "Plan")
    return made.getvalue()


def macro_xlsx() -> bytes:
    """A workbook with macros, renamed."""
    parts = unpacked(xlsx())
    parts["xl/vbaProject.bin"] = b"Attribute VB_Name"
    types = parts["[Content_Types].xml"].decode()
    parts["[Content_Types].xml"] = types.replace(
        f"{OOXML}spreadsheetml.sheet.main+xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    )
    return archive(parts)


def unpacked(content: bytes) -> dict[str, Any]:
    with ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def odf(kind: str, **parts: bytes) -> bytes:
    return archive(
        {"mimetype": f"{ODF}{kind}", "META-INF/manifest.xml": "<manifest/>", "content.xml": "<c/>", **parts}, "mimetype"
    )


def ole(*streams: str) -> bytes:
    names = b"".join(name.encode("utf-16-le").ljust(128, b"\x00") for name in ("Root Entry", *streams))
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504 + names


PDF = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"

TAKEN = [
    ("plan.txt", "Plan für 2028\n".encode(), "text/plain"),
    ("plan.txt", "Señales".encode("cp1252"), "text/plain"),
    ("plan.txt", "Señales".encode("utf-16"), "text/plain"),
    ("plan.rtf", rb"{\rtf1\ansi Plan}", "application/rtf"),
    ("plan.PDF", PDF, "application/pdf"),
    ("plan.doc", ole("WordDocument"), "application/msword"),
    ("plan.xls", ole("Workbook"), "application/vnd.ms-excel"),
    ("plan.ppt", ole("PowerPoint Document"), "application/vnd.ms-powerpoint"),
    ("plan.docx", ooxml("word"), OOXML + "wordprocessingml.document"),
    ("plan.pptx", ooxml("ppt"), OOXML + "presentationml.presentation"),
    ("plan.xlsx", xlsx(), OOXML + "spreadsheetml.sheet"),
    ("plan.odt", odf("text"), ODF + "text"),
    ("plan.ods", odf("spreadsheet"), ODF + "spreadsheet"),
    ("plan.odp", odf("presentation"), ODF + "presentation"),
]
REFUSED = {
    "an empty file": ("plan.txt", b""),
    "a program": ("plan.exe", b"MZ\x90\x00"),
    "a program called text": ("plan.txt", b"MZ\x90\x00\x03\x00\x00\x00"),
    "a program called pdf": ("plan.pdf", b"MZ\x90\x00" * 100),
    "a program called docx": ("plan.docx", b"\x7fELF" + b"\x00" * 100),
    "a page called text": ("plan.txt", b"<html><script>alert(1)</script>"),
    "a page": ("plan.html", b"<html></html>"),
    "a shell script called text": ("plan.txt", b"#!/bin/sh\nrm -rf /\n"),
    "a picture": ("plan.svg", b"<svg/>"),
    "a workbook called a text document": ("plan.docx", xlsx()),
    "an archive called docx": ("plan.docx", archive({"plan.txt": "x"})),
    "a broken docx": ("plan.docx", ooxml("word")[:-30]),
    "a text document called pdf": ("plan.pdf", ooxml("word")),
    "a pdf cut short": ("plan.pdf", PDF[:-8]),
    "a pdf with a script": ("plan.pdf", PDF.replace(b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript/JS(alert)>>")),
    "a pdf after a program": ("plan.pdf", b"MZ" + PDF),
    "a docm renamed": ("plan.docx", ooxml("word", **{"word/vbaProject.bin": b"Sub AutoOpen()"})),
    "an xlsm renamed": ("plan.xlsx", macro_xlsx()),
    "a docx with a control": ("plan.docx", ooxml("word", **{"word/activeX/activeX1.bin": b"x"})),
    "a docx with a template from elsewhere": (
        "plan.docx",
        ooxml(
            "word",
            **{
                "word/_rels/settings.xml.rels": b'<Relationships><Relationship Type="x/attachedTemplate" '
                b'Target="https://evil.example/t.dotm" TargetMode="External"/></Relationships>'
            },
        ),
    ),
    "old macros": ("plan.doc", ole("WordDocument", "Macros", "_VBA_PROJECT")),
    "an old workbook called doc": ("plan.doc", ole("Workbook")),
    "a protected file": ("plan.docx", ole("EncryptedPackage")),
    "an odt with macros": ("plan.odt", odf("text", **{"Basic/Standard/Module1.xml": b"Sub Main"})),
    "an ods called odt": ("plan.odt", odf("spreadsheet")),
    "a protected odt": ("plan.odt", odf("text", **{"META-INF/manifest.xml": b"<m:encryption-data/>"})),
    "an rtf with an object": ("plan.rtf", rb"{\rtf1{\object\objemb{\*\objdata 0105}}}"),
    "many parts": ("plan.docx", archive({f"p{n}": b"" for n in range(20_001)})),
    "a bomb": ("plan.docx", archive({"[Content_Types].xml": b" " * 200_000_000})),
}  # fmt: skip


async def draft(api: Api, by: str = KENYA) -> str:
    made = await api.post("/v1/pledges", by=by, json=complete())
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


async def put(
    api: Api, where: str, content: bytes = PDF, name: str = "plan.pdf", by: str = KENYA, **parameters: Any
) -> httpx.Response:
    return await api.put(f"{where}/attachment", by=by, content=content, params={"name": name, **parameters})


async def act(api: Api, where: str, *actions: tuple[str, str]) -> None:
    for action, by in actions:
        moved = await api.post(f"{where}/actions/{action}", by=by, json={"comment": "So be it."})
        assert moved.status_code == 200, moved.text


@pytest.mark.parametrize(("name", "content", "media_type"), TAKEN)
async def test_each_kind_is_taken_and_comes_back_as_it_was(
    api: Api, name: str, content: bytes, media_type: str
) -> None:
    where = await draft(api)
    answer = await put(api, where, content, name)
    assert answer.status_code == 200, answer.text
    about = answer.json()
    assert {**about, "created_at": None} == {
        "name": name,
        "media_type": media_type,
        "size": len(content),
        "digest": sha256(content).hexdigest(),
        "public": False,
        "created_at": None,
    }
    assert (await api.get(where, by=COLLEAGUE)).json()["attachment"] == about
    file = await api.get(f"{where}/attachment", by=COLLEAGUE)
    assert file.status_code == 200
    assert file.content == content
    assert file.headers["content-type"].partition(";")[0] == media_type
    assert file.headers.get_list("x-content-type-options") == ["nosniff"]
    assert file.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in file.headers["content-security-policy"]
    assert file.headers["cache-control"] == "private, no-store"
    assert file.headers["etag"] == f'"{sha256(content).hexdigest()}"'
    again = await api.get(f"{where}/attachment", by=COLLEAGUE, headers={"if-none-match": file.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("kind", list(REFUSED))
async def test_what_is_disguised_or_carries_macros_is_refused(api: Api, kind: str) -> None:
    name, content = REFUSED[kind]
    where = await draft(api)
    answer = await put(api, where, content, name)
    assert answer.status_code == 422, kind
    assert answer.json()["errors"][0]["detail"]
    assert (await api.get(f"{where}/attachment", by=KENYA)).status_code == 404


async def test_the_limit_is_25_mb(api: Api) -> None:
    where = await draft(api)
    largest = b"a" * service.LIMIT
    assert (await put(api, where, largest, "plan.txt")).status_code == 200
    got = await api.get(f"{where}/attachment", by=KENYA)
    assert got.content == largest
    assert (await put(api, where, largest + b"a", "plan.txt")).status_code == 413


NAMES = [
    ("../../etc/plan.txt", "plan.txt"),
    ("C:\\Users\\amina\\plan.txt", "plan.txt"),
    ("plan\r\nSet-Cookie: a=b.txt", "planSet-Cookie_ a=b.txt"),
    ("plan\u202etxt.exe.txt", "plantxt.exe.txt"),
    ('a"b;c.txt', "a_b;c.txt"),
    ("Señales 第三.txt", "Señales 第三.txt"),
    ("é" * 150 + ".txt", "é" * 98 + ".txt"),
]


@pytest.mark.parametrize(("sent", "kept"), NAMES)
async def test_the_name_is_kept_but_cleaned(api: Api, sent: str, kept: str) -> None:
    where = await draft(api)
    answer = await put(api, where, b"text", sent)
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == kept
    told = (await api.get(f"{where}/attachment", by=KENYA)).headers["content-disposition"]
    assert told.endswith(f"filename*=UTF-8''{quote(kept, safe='')}")
    assert told.isascii()


@pytest.mark.parametrize(
    "said",
    ["attachment; filename*=UTF-8''Se%C3%B1ales.txt", 'attachment; filename="plan.txt"', "inline; filename=plan.txt"],
)
async def test_the_name_may_stand_in_the_content_disposition(api: Api, said: str) -> None:
    where = await draft(api)
    answer = await api.put(f"{where}/attachment", by=KENYA, content=b"x", headers={"content-disposition": said})
    assert answer.json()["name"] == ("Señales.txt" if "*" in said else "plan.txt")


@pytest.mark.parametrize("name", ["plan", ".txt", "...", "\u202e.txt"])
async def test_a_name_must_say_the_kind(api: Api, name: str) -> None:
    answer = await put(api, await draft(api), b"x", name)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "?name"


@pytest.mark.parametrize("public", [False, True])
async def test_who_may_have_it(api: Api, public: bool) -> None:
    where = await draft(api)
    assert (await put(api, where, public=str(public).lower())).status_code == 200
    file = f"{where}/attachment"
    for by in (None, PERU, NOBODY):
        assert (await api.get(file, by=by)).status_code == 404
    await act(api, where, ("submit", KENYA), ("publish", SECRETARIAT))
    for by in (KENYA, COLLEAGUE, SECRETARIAT):
        assert (await api.get(file, by=by)).content == PDF
    for by in (None, PERU, NOBODY):
        answer = await api.get(file, by=by)
        assert answer.status_code == (200 if public else 404)
        assert ((await api.get(where, by=by)).json()["attachment"] is not None) is public
    if public:
        assert (await api.get(file)).headers["cache-control"].startswith("public")
    await act(api, where, ("withdraw", KENYA))
    assert (await api.get(file)).status_code == 410
    assert (await api.get(file, by=KENYA)).content == PDF


async def test_a_revision_changes_nothing_that_the_public_has_until_it_is_published(api: Api) -> None:
    where = await draft(api)
    file = f"{where}/attachment"
    await put(api, where, b"first", "plan.txt", public="true")
    await act(api, where, ("submit", KENYA), ("publish", SECRETARIAT))
    assert (await put(api, where, b"second", "plan.txt", public="true")).status_code == 409
    await act(api, where, ("revise", KENYA))
    assert (await put(api, where, b"second", "plan.txt", public="true")).status_code == 200
    assert (await api.get(file)).content == b"first"
    assert (await api.get(file, by=KENYA)).content == b"second"
    await act(api, where, ("discard", KENYA))
    assert (await api.get(file, by=KENYA)).content == b"first"
    await act(api, where, ("revise", KENYA))
    await put(api, where, b"third", "plan.txt", public="true")
    await act(api, where, ("submit", KENYA), ("publish", SECRETARIAT))
    assert (await api.get(file)).content == b"third"
    await act(api, where, ("revise", KENYA))
    tag = (await api.get(file, by=KENYA)).headers["etag"]
    assert (await api.delete(file, by=KENYA, headers={"if-match": tag})).status_code == 204
    assert (await api.get(file)).content == b"third"
    await act(api, where, ("submit", KENYA), ("publish", SECRETARIAT))
    assert (await api.get(file)).status_code == 404
    assert (await api.get(where)).json()["attachment"] is None


async def test_who_may_change_it(api: Api) -> None:
    where = await draft(api)
    for by, status in ((None, 401), (PERU, 404), (NOBODY, 404), (COLLEAGUE, 200), (SECRETARIAT, 200)):
        answer = await api.put(f"{where}/attachment", by=by, content=b"x", params={"name": "a.txt"})
        assert answer.status_code == status
    steps = (await api.get(f"{where}/history", by=KENYA)).json()["items"]
    assert [(step["actor"], step["action"]) for step in steps if step["action"] == "attach"] == [("sofia", "attach")]
    for by, status in ((None, 401), (PERU, 404)):
        answer = await api.delete(f"{where}/attachment", by=by, headers={"if-match": "*"})
        assert answer.status_code == status
    tag = (await api.get(f"{where}/attachment", by=KENYA)).headers["etag"]
    assert (await api.delete(f"{where}/attachment", by=KENYA)).status_code == 428
    assert (await api.delete(f"{where}/attachment", by=KENYA, headers={"if-match": '"old"'})).status_code == 412
    assert (await api.delete(f"{where}/attachment", by=KENYA, headers={"if-match": tag})).status_code == 204
    assert (await api.delete(f"{where}/attachment", by=KENYA, headers={"if-match": tag})).status_code == 404


async def test_a_change_is_a_change_of_the_record(api: Api) -> None:
    where = await draft(api)
    before = (await api.get(where, by=KENYA)).headers["etag"]
    await put(api, where)
    assert (await api.get(where, by=KENYA)).headers["etag"] != before
    stale = await api.put(
        f"{where}/attachment", by=KENYA, content=b"x", params={"name": "a.txt"}, headers={"if-match": '"other"'}
    )
    assert stale.status_code == 412


async def test_equal_bytes_are_stored_once_and_forgotten_when_nothing_needs_them(api: Api) -> None:
    content = b"the same bytes everywhere"
    database = api.app.state.database  # type: ignore[attr-defined]
    digest = sha256(content).hexdigest()
    places = [await draft(api) for _ in range(3)]
    for where in places:
        assert (await put(api, where, content, "plan.txt")).status_code == 200

    async def held() -> int:
        async with database.reader.connect() as reader:
            found = await reader.execute(text("SELECT count(*) FROM file_chunks WHERE digest = :d"), {"d": digest})
            return int(found.scalar_one())

    assert await held() == 1
    job = Job(1, 1, database, api.app.state.settings)  # type: ignore[attr-defined]

    async def age() -> None:
        async with database.engine.begin() as connection:
            await connection.execute(text("UPDATE files SET created_at = created_at - interval '2 days'"))

    await age()
    await files.forget(job)
    assert await held() == 1
    for where in places:
        tag = (await api.get(f"{where}/attachment", by=KENYA)).headers["etag"]
        assert (await api.delete(f"{where}/attachment", by=KENYA, headers={"if-match": tag})).status_code == 204
    await put(api, places[0], content, "plan.txt")
    await api.delete(f"{places[0]}/attachment", by=KENYA, headers={"if-match": "*"})
    await files.forget(job)
    assert await held() == 1
    await age()
    await files.forget(job)
    assert await held() == 0
    assert (await put(api, places[1], content, "plan.txt")).status_code == 200
    assert await held() == 1


# ---------------------------------------------------------------- scanning


@pytest.fixture
def scanner(api: Api, tmp_path: Path) -> Iterator[Any]:
    """Sets what scans for one test."""
    state = api.app.state  # type: ignore[attr-defined]
    before = state.settings

    def use(scan_with: str) -> None:
        state.settings = before.model_copy(update={"scan_with": scan_with})

    yield use
    state.settings = before


def clamd(server: socket.socket, seen: list[bytes]) -> None:
    """Answers as clamd does, one connection after the other, until the socket is closed."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as file:
            assert file.read(10) == b"zINSTREAM\0"
            content = b""
            while size := int.from_bytes(file.read(4), "big"):
                content += file.read(size)
            seen.append(content)
            connection.sendall(b"stream: Eicar FOUND\0" if b"EICAR" in content else b"stream: OK\0")


async def test_clamd_is_asked(api: Api, scanner: Any) -> None:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=clamd, args=(server, seen), daemon=True)
        thread.start()
        scanner(f"clamd://127.0.0.1:{server.getsockname()[1]}")
        where = await draft(api)
        assert (await put(api, where, b"clean " * 50_000, "plan.txt")).status_code == 200
        assert seen == [b"clean " * 50_000]
        refused = await put(api, where, b"EICAR", "plan.txt")
        assert refused.status_code == 422
        assert "malware" in refused.json()["errors"][0]["detail"]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert (await put(api, where, b"other", "plan.txt")).status_code == 503
    assert (await api.get(f"{where}/attachment", by=KENYA)).content == b"clean " * 50_000


@pytest.mark.parametrize(("status", "answered"), [(0, 200), (1, 422), (2, 503)])
async def test_a_command_is_asked(api: Api, scanner: Any, tmp_path: Path, status: int, answered: int) -> None:
    command = tmp_path / "scan"
    command.write_text(f'#!/bin/sh\ntest "$1" = --fast && test -s "$2" && exit {status}\nexit 9\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    scanner(f"{command} --fast")
    assert (await put(api, await draft(api), b"text", "plan.txt")).status_code == answered


async def test_a_command_that_is_not_there_takes_nothing(api: Api, scanner: Any) -> None:
    scanner("/nonexistent/scanner")
    assert (await put(api, await draft(api), b"text", "plan.txt")).status_code == 503
