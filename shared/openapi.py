"""The contract as FastAPI writes it, brought to the platform's conventions."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared import problems
from shared.auth import document_security

Document = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the record as the caller read it. Without it 428, when it has changed since 412.",
    "schema": {"type": "string", "examples": ['"3"']},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "An ETag from before: 304 without a body where nothing has changed.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Made by the client, one for each intent: repeats within 24 hours get the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
}


def document(app: FastAPI) -> Document:
    """The OpenAPI document of `app`; made once."""
    if app.openapi_schema is None:
        written = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
            separate_input_output_schemas=True,
        )
        _problem_components(written)
        _names_of_schemas(written)
        _read_schemas(written)
        for method, operation in operations(written):
            _conventions(method, operation)
        _drop_titles(written)
        document_security(written)
        app.openapi_schema = written
    return app.openapi_schema


def operations(written: Document) -> Iterator[tuple[str, Document]]:
    for path in written.get("paths", {}).values():
        for method, operation in path.items():
            if method in {"get", "put", "post", "patch", "delete"}:
                yield method, operation


def _problem_components(written: Document) -> None:
    schemas = written.setdefault("components", {}).setdefault("schemas", {})
    for _, operation in operations(written):
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = problems.ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas["Problem"]["title"] = "Problem"
    schemas.update(schemas["Problem"].pop("$defs"))
    # Absent rather than null where no field is at fault.
    schemas["Problem"]["properties"]["errors"] = {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Fault"},
        "description": "Where fields are at fault: one entry for each.",
    }


def _names_of_schemas(written: Document) -> None:
    """`X-Input`, `X-Output` and `Page_X_` become `XInput`, `X` and `XPage`: they read well in generated clients."""
    schemas = written["components"]["schemas"]
    renamed = {}
    for name in schemas:
        if name.endswith("-Output"):
            renamed[name] = name.removesuffix("-Output")
        elif name.endswith("-Input"):
            renamed[name] = name.removesuffix("-Input") + "Input"
        elif name.startswith("Page_"):
            renamed[name] = name.removeprefix("Page_").strip("_") + "Page"
    written["components"]["schemas"] = {renamed.get(name, name): schema for name, schema in schemas.items()}
    for reference in _references(written):
        name = reference["$ref"].rpartition("/")[2]
        reference["$ref"] = f"#/components/schemas/{renamed.get(name, name)}"


def _references(node: Any) -> Iterator[Document]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _reachable(written: Document, roots: list[Any]) -> set[str]:
    schemas = written["components"]["schemas"]
    found: set[str] = set()
    waiting = [reference["$ref"].rpartition("/")[2] for root in roots for reference in _references(root)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += [reference["$ref"].rpartition("/")[2] for reference in _references(schemas[name])]
    return found


def _read_schemas(written: Document) -> None:
    """What is answered has no defaults: every field is there, but those that only some callers are shown.

    Such a field is marked `x-private`; so is one that is there only when asked for.
    """
    answers = _reachable(written, [operation["responses"] for _, operation in operations(written)])
    requests = _reachable(written, [operation.get("requestBody") for _, operation in operations(written)])
    for name in answers - requests:
        schema = written["components"]["schemas"][name]
        for field, value in schema.get("properties", {}).items():
            value.pop("default", None)
            if value.pop("x-private", False) and field in schema.get("required", []):
                schema["required"].remove(field)


def _drop_titles(node: Any) -> None:
    """A title made of the field's own name tells nobody anything."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str) and ("type" in node or "anyOf" in node or "$ref" in node):
            del node["title"]
        for value in node.values():
            _drop_titles(value)
    elif isinstance(node, list):
        for value in node:
            _drop_titles(value)


def _conventions(method: str, operation: Document) -> None:
    """What the platform does for every operation of a kind, said once."""
    answers = operation["responses"]
    kinds = ["invalid"]
    parameters = operation.setdefault("parameters", [])
    if operation.get("security"):
        kinds.append("unauthorized")
    body = operation.get("requestBody", {}).get("content", {})
    if "application/json" in body:
        kinds += ["malformed", "too-large", "unsupported-media-type"]
        if method == "patch":
            body[MERGE_PATCH] = body["application/json"]
    if method in ("patch", "delete"):
        parameters.append(IF_MATCH)
        kinds += ["stale", "precondition-required"]
    readable = answers.get("200", {}).get("content", {})
    if method == "get" and not {"application/json", "text/calendar"}.isdisjoint(readable):
        parameters.append(IF_NONE_MATCH)
        answers["304"] = {"description": "Not modified: the ETag sent is the current one."}
    if method == "post" and ("201" in answers or "202" in answers):
        parameters.append(IDEMPOTENCY_KEY)
        kinds += ["in-progress", "key-reused"]
    if not parameters:
        del operation["parameters"]
    for status, answer in problems.responses(*kinds).items():
        known = answers.setdefault(str(status), answer)
        if known is not answer and answer["description"] not in known["description"]:
            known["description"] += " / " + answer["description"]
    operation["responses"] = dict(sorted(answers.items()))
