"""Enough of Docker's rules to carry out our Dockerfile in a plain folder."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each named stage, in order: `("COPY", "shared shared")`."""
    lines = [line for line in (TOP / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    found: dict[str, list[tuple[str, str]]] = {}
    for instruction in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = instruction.strip().partition(" ")
        if word == "FROM":
            current = found.setdefault(rest.rpartition(" AS ")[2], [])
        if word:
            current.append((word, " ".join(rest.split())))
    return found


def _pattern(line: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*)", line.removeprefix("!").strip("/"))
    as_regex = {"**/": "(?:.*/)?", "*": "[^/]*"}
    return re.compile("".join(as_regex.get(part, re.escape(part)) for part in parts))


def _sent(ignore: list[str], path: Path) -> bool:
    """Whether the builder gets this file: the last line that names it or a folder above it decides."""
    names = ["/".join(path.parts[:depth]) for depth in range(1, len(path.parts) + 1)]
    sent = True
    for line in ignore:
        if any(map(_pattern(line).fullmatch, names)):
            sent = line.startswith("!")
    return sent


def context() -> list[Path]:
    """The files of the checkout that .dockerignore lets through, relative to the top."""
    ignore = [line for line in (TOP / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    # Top folders that cannot hold anything are not walked: environments have tens of thousands of files.
    tops = [entry for entry in TOP.iterdir() if entry.is_file() or _sent(ignore, entry.relative_to(TOP))]
    files = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*")) if path.is_file()]
    return [path.relative_to(TOP) for path in files if _sent(ignore, path.relative_to(TOP))]


def build(root: Path, stage: str, without: frozenset[str]) -> dict[str, str]:
    """Carry out a stage below `root` as if it were `/`; returns the environment that its processes would have.

    Done are WORKDIR, ENV, COPY from the context, and RUN but for commands in `without`. What is copied from another
    stage is there already when that one was built below the same root. Raises CalledProcessError when a RUN fails.
    """
    sent = context()
    place = root
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
    for word, rest in stages()[stage]:
        if word == "WORKDIR":
            place = root / rest.lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            for name, value in (pair.split("=", 1) for pair in shlex.split(rest)):
                expanded = value.replace("$PATH", environment["PATH"])
                environment[name] = expanded.replace("/opt/", f"{root}/opt/")
        elif word == "COPY" and "--from" not in rest:
            *sources, target = rest.split()
            for source in sources:
                _copy([path for path in sent if path.is_relative_to(source)], Path(source), place, target)
        elif word == "RUN" and rest.split()[0] not in without:
            command = rest.replace(" /opt/", f" {root}/opt/")
            if command.startswith("/opt/"):
                command = f"{root}{command}"
            subprocess.run(command, shell=True, cwd=place, env=environment, check=True, timeout=600)  # noqa: S602
    return environment


def _copy(files: list[Path], source: Path, place: Path, target: str) -> None:
    assert files, f"COPY {source}: nothing of that name is sent to the builder"
    for path in files:
        # A folder's contents go into the target; a file goes under its own name where the target ends in a slash.
        inside = path.relative_to(source) if path != source else Path(path.name if target.endswith("/") else "")
        to = place / target / inside
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TOP / path, to)
