"""The contract: one OpenAPI document of what the services and the gateway say.

`python -m tools.contract` writes gateway/openapi.json, `--check` compares it with what is committed and with the last
release (the latest tag `v*`, or `--base`, a file or a git revision) and exits with 1 where they differ in a way that
may not be. Nothing is started: the applications are made, not run.
"""

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from gateway.app import VERSION, own_pages
from gateway.documents import CONTRACT
from gateway.settings import SERVICES
from gateway.settings import Settings as GatewaySettings
from shared.settings import Settings
from tools.compatibility import breaks

Document = dict[str, Any]

METHODS: Final = frozenset(("get", "put", "post", "patch", "delete"))
ISSUER: Final = "https://issuer.invalid"

INFO: Final = {
    "title": "Global Compact for Migration platform",
    "summary": "Pledges, practices, concept notes and key dates of the UN Network on Migration.",
    "description": (
        "The public interface of the platform on which States and stakeholders carry out the Global Compact for Safe, "
        "Orderly and Regular Migration.\n\n"
        "Reading what is published needs no token. Errors are problem documents (RFC 9457); unknown parameters and "
        "fields are refused. Lists are read page by page with an opaque cursor. Records carry an ETag; changes name "
        "it in If-Match."
    ),
    "contact": {"name": "Secretariat of the UN Network on Migration", "url": "https://migrationnetwork.un.org"},
    "license": {
        "name": "Terms of use of the United Nations",
        "url": "https://www.un.org/en/about-us/terms-of-use",
    },
}

TAGS: Final = {
    "pledges": "The Pledging Initiative: measurable commitments, their publication and their progress.",
    "practices": "The Repository of Practices of the Migration Network Hub, peer reviewed.",
    "peer review": "Who reviews practices, which of them they are asked to, and what they found.",
    "calls for practices": "Calls for practices on certain objectives, with their deadlines.",
    "mptf": "The Migration Multi-Partner Trust Fund: concept notes, Steering Committee meetings, joint programmes.",
    "calendar": "Key dates, international days, Network events and the statements made for them.",
    "dashboard": "What all services have to say, side by side.",
    "reference": "The lists that fields and filters refer to, in English, French and Spanish where recorded.",
}


class Clash(Exception):
    """Two applications say different things under one name."""


def documents() -> dict[str, Document]:
    """What each application says, by its name."""
    service = Settings(environment="production", oidc_issuer=ISSUER)
    said: dict[str, Document] = {
        name: importlib.import_module(f"services.{name}.app").create_app(service).openapi() for name in SERVICES
    }
    gateway = GatewaySettings(environment="production", oidc_issuer=ISSUER)
    return said | {"gateway": own_pages(gateway).openapi()}


def merge(said: Mapping[str, Document], version: str) -> Document:
    """One document of the `/v1` paths of all. Raises Clash."""
    paths: Document = {}
    components: dict[str, Document] = {}
    tags = dict(TAGS)
    for name, document in said.items():
        for path, item in document["paths"].items():
            if not path.startswith("/v1/"):
                continue
            if path in paths:
                raise Clash(f"{name} has a path that another has: {path}")
            paths[path] = deepcopy(item)
        for kind, entries in document.get("components", {}).items():
            for key, value in entries.items():
                if components.setdefault(kind, {}).setdefault(key, value) != value:
                    raise Clash(f"{name} has another {key} in {kind} than those before it")
        tags |= {tag["name"]: tag["description"] for tag in document.get("tags", [])}
    merged: Document = {
        "openapi": "3.1.0",
        "info": INFO | {"version": version},
        "servers": [{"url": "/", "description": "Where this document comes from."}],
        "tags": [],
        "paths": paths,
        "components": deepcopy(components),
    }
    _check_operations(merged, tags)
    _compose(merged)
    _prune(merged)
    used = {tag for _, operation in operations(merged) for tag in operation["tags"]}
    merged["tags"] = [{"name": name, "description": text} for name, text in tags.items() if name in used]
    return merged


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    """Every operation with its method and path, such as `GET /v1/pledges`."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield f"{method.upper()} {path}", operation


def _check_operations(document: Document, tags: Mapping[str, str]) -> None:
    """Each operation has what generated clients and readers need."""
    seen: dict[str, str] = {}
    for where, operation in operations(document):
        identifier = operation.get("operationId")
        if not identifier or not operation.get("summary") or not operation.get("tags"):
            raise Clash(f"{where} lacks an operationId, a summary or a tag")
        if identifier in seen:
            raise Clash(f"{where} has the operationId of {seen[identifier]}: {identifier}")
        if unknown := set(operation["tags"]) - tags.keys():
            raise Clash(f"{where} has a tag that nobody describes: {', '.join(sorted(unknown))}")
        seen[identifier] = where
        operation.setdefault("security", [])


def _compose(document: Document) -> None:
    """Fill in what the gateway takes from services: the parameters it passes on, the fields it passes back."""
    schemas = document["components"]["schemas"]
    for where, operation in operations(document):
        if source := operation.pop("x-parameters-of", None):
            own = {(each["in"], each["name"]) for each in operation["parameters"]}
            taken = _read(document, source, where)["parameters"]
            operation["parameters"] += [deepcopy(p) for p in taken if (p["in"], p["name"]) not in own]
    for name, schema in schemas.items():
        if source := schema.pop("x-fields-of", None):
            answer = _read(document, source, name)["responses"]["200"]["content"]["application/json"]["schema"]
            fields = schemas[answer["$ref"].rpartition("/")[2]]["properties"]
            # A service that says itself as of when it speaks says what the section would.
            if both := fields.keys() & schema["properties"].keys() - {"as_of"}:
                raise Clash(f"{name} and {source} have the same fields: {', '.join(sorted(both))}")
            schema["properties"] = deepcopy(fields) | schema["properties"]


def _read(document: Document, path: str, wanted_by: str) -> Document:
    try:
        found: Document = document["paths"][path]["get"]
    except KeyError:
        raise Clash(f"{wanted_by} takes from {path}, which nobody has") from None
    return found


def references(node: Any) -> Iterator[str]:
    """The name of every component that is referred to below `node`."""
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.rpartition("/")[2]
        # A discriminator's mapping holds references too, as plain values.
        for key, value in node.items():
            if key == "mapping" and isinstance(value, dict):
                yield from (str(target).rpartition("/")[2] for target in value.values())
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def _prune(document: Document) -> None:
    """Leave out schemas and security schemes that no operation uses."""
    components = document["components"]
    used: set[str] = set()
    waiting = list(references(document["paths"]))
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += references(components["schemas"].get(name))
    components["schemas"] = {name: components["schemas"][name] for name in sorted(used)}
    schemes = {name for _, operation in operations(document) for option in operation["security"] for name in option}
    components["securitySchemes"] = {
        name: scheme for name, scheme in components.get("securitySchemes", {}).items() if name in schemes
    }


def render(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, cwd=CONTRACT.parents[1])
    return done.stdout.strip() if done.returncode == 0 else None


def base(named: str | None) -> Document | None:
    """The contract to keep: a file, or that of a git revision; without a name that of the latest release, if any."""
    if named and Path(named).is_file():
        found: str | None = Path(named).read_text("utf-8")
    else:
        revision = named or _git("describe", "--tags", "--abbrev=0", "--match", "v*")
        found = _git("show", f"{revision}:gateway/{CONTRACT.name}") if revision else None
    if found is None and named:
        raise SystemExit(f"{named} is neither a file nor a revision with a contract")
    return json.loads(found) if found else None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--base", help="a file or a git revision whose contract must not be broken")
    options = parser.parse_args(arguments)
    try:
        said = documents()
        written = merge(said, VERSION)
    except Clash as clash:
        print(f"contract: {clash}", file=sys.stderr)
        return 1
    status = 0
    if not options.check:
        CONTRACT.write_text(render(written), "utf-8")
    elif not CONTRACT.exists() or CONTRACT.read_text("utf-8") != render(written):
        print(
            "contract: gateway/openapi.json is not what the services say: run python -m tools.contract", file=sys.stderr
        )
        status = 1
    kept = base(options.base)
    if kept is not None and (found := breaks(kept, written)):
        print("contract: clients of the last release would break:", *found, sep="\n  ", file=sys.stderr)
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
