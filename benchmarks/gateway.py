"""What the gateway costs: CPU time of its process for each request, forwarded and answered from memory.

`python -m benchmarks.gateway` needs wrk; with nginx at hand it is measured in the same run, for the ratio that
matters more than the microseconds. Everything listens on 127.0.0.1 and stops by itself.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

BODY = b'{"x": "' + b"a" * 2038 + b'"}'
PUBLIC = b"public, max-age=5, stale-while-revalidate=5, stale-if-error=600"
FIELDS = ("Accept: application/json", "Accept-Language: en", "User-Agent: benchmark/1.0")


async def service(scope, receive, send):  # type: ignore[no-untyped-def]  # as short as a service can be
    """2 KB of JSON: public on one path, private on the others."""
    if scope["type"] != "http":
        return
    control = PUBLIC if scope["path"].endswith("/public") else b"private, no-store"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(BODY)).encode()),
        (b"etag", b'"abc"'),
        (b"vary", b"Authorization"),
        (b"cache-control", control),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[psutil.Process]:
    """A server, once it listens on `port`; ended afterwards."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


def cpu(process: psutil.Process) -> float:
    """Seconds of CPU that a process and its children have used."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def load(process: psutil.Process, url: str, fields: tuple[str, ...], seconds: int) -> tuple[float, float]:
    """Requests a second, and microseconds of CPU for each."""
    headers = [part for field in fields for part in ("-H", field)]
    before = cpu(process)
    done = subprocess.run(  # noqa: S603
        ["wrk", "-t1", "-c32", f"-d{seconds}s", *headers, url],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    used = cpu(process) - before
    found = re.search(r"(\d+) requests in", done)
    if found is None or "Non-2xx" in done or "Socket errors" in done:
        raise RuntimeError(done)
    count = int(found[1])
    return count / seconds, used / count * 1e6


def report(name: str, process: psutil.Process, url: str, fields: tuple[str, ...], rounds: int, seconds: int) -> float:
    load(process, url, fields, 1)
    results = [load(process, url, fields, seconds) for _ in range(rounds)]
    rate, cost = median(r for r, _ in results), median(c for _, c in results)
    print(f"{name:44}{rate:9,.0f} req/s{cost:8.0f} µs CPU", flush=True)
    return cost


NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  upstream service {{ server 127.0.0.1:{service}; {pool} }}
  server {{ listen 127.0.0.1:{port};
    location / {{ proxy_pass http://service; {persist} }} }}
}}
"""

# By default nginx opens a connection for each request that it proxies; pooled, it costs half.
NGINX_KINDS = (
    (
        "nginx, forwarded, pooled connections",
        "keepalive 64;",
        'proxy_http_version 1.1; proxy_set_header Connection "";',
    ),
    ("nginx, forwarded, as installed", "", ""),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is needed: Debian's package of that name")
    behind, front = free_port(), free_port()
    uvicorn = [sys.executable, "-m", "uvicorn", "benchmarks.gateway:service", "--port", str(behind)]
    uvicorn += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--lifespan", "off"]
    urls = {f"{name}_URL": f"http://127.0.0.1:{behind}" for name in ("PLEDGES", "PRACTICES", "MPTF", "CALENDAR")}
    path = "/v1/pledges?country=KEN&objective=6"
    token = (*FIELDS, "Authorization: Bearer x")
    run = {"rounds": options.rounds, "seconds": options.seconds}
    proxied = 0.0
    with tempfile.TemporaryDirectory() as folder, running(uvicorn, behind):
        if nginx := shutil.which("nginx"):
            for name, pool, persist in NGINX_KINDS:
                port = free_port()
                config = Path(folder, "nginx.conf")
                config.write_text(NGINX.format(folder=folder, service=behind, port=port, pool=pool, persist=persist))
                with running([nginx, "-c", str(config)], port) as process:
                    proxied = report(name, process, f"http://127.0.0.1:{port}{path}", FIELDS, **run)
        environment = {"ENVIRONMENT": "development", "PORT": str(front), "LOG_LEVEL": "WARNING", **urls}
        with running([sys.executable, "-m", "shared.serve", "gateway.app"], front, **environment) as process:
            url = f"http://127.0.0.1:{front}"
            report("gateway, forwarded with a token", process, url + path, token, **run)
            report("gateway, forwarded anonymous, not kept", process, url + path, FIELDS, **run)
            kept = report("gateway, from memory", process, f"{url}/v1/pledges/public", FIELDS, **run)
            rest = (*FIELDS, 'If-None-Match: "abc"')
            report("gateway, 304 from memory", process, f"{url}/v1/pledges/public", rest, **run)
    if proxied:
        print(f"from memory costs {kept / proxied:.2f} times nginx as installed (goal: at most 2)")


if __name__ == "__main__":
    main()
