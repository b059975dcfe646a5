"""What breaks clients is found; what does not is let pass."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tools.compatibility import breaks

Document = dict[str, Any]
Change = Callable[[Document], object]

DOCUMENT: Document = {
    "info": {"version": "1.4.0"},
    "paths": {
        "/v1/things": {
            "get": {
                "operationId": "list_things",
                "security": [{}, {"bearer": []}],
                "parameters": [
                    {"name": "kind", "in": "query", "schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "404": {"description": "none"},
                },
            },
            "post": {
                "operationId": "create_thing",
                "security": [{"bearer": []}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingInput"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
                },
            },
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["name", "kind", "next"],
                "properties": {
                    "name": {"type": "string"},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                    "next": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
                    "at": {"type": "string", "format": "date"},
                    "count": {"type": "integer"},
                },
            },
            "ThingInput": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 200},
                    "kind": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
                    "size": {"type": "number"},
                },
            },
        }
    },
}


def listing(document: Document) -> Document:
    operation: Document = document["paths"]["/v1/things"]["get"]
    return operation


def creating(document: Document) -> Document:
    operation: Document = document["paths"]["/v1/things"]["post"]
    return operation


def read(document: Document) -> Document:
    schema: Document = document["components"]["schemas"]["Thing"]
    return schema


def sent(document: Document) -> Document:
    schema: Document = document["components"]["schemas"]["ThingInput"]
    return schema


def after(change: Change) -> list[str]:
    new = deepcopy(DOCUMENT)
    change(new)
    return breaks(DOCUMENT, new)


BREAKING: dict[str, Change] = {
    "GET /v1/things: is gone": lambda d: d["paths"]["/v1/things"].pop("get"),
    "POST /v1/things: operationId create_thing is now make": lambda d: creating(d).update(operationId="make"),
    "GET /v1/things: needs a token now": lambda d: listing(d).update(security=[{"bearer": []}]),
    "GET /v1/things: no longer answers 200": lambda d: listing(d)["responses"].pop("200"),
    "GET /v1/things 200: no longer application/json": lambda d: listing(d)["responses"]["200"].update(content={}),
    "GET /v1/things: the query parameter kind is gone": lambda d: listing(d)["parameters"].pop(0),
    "GET /v1/things: the query parameter limit is required now": lambda d: listing(d)["parameters"][1].update(
        required=True
    ),
    "GET /v1/things: the header parameter Key is required now": lambda d: listing(d)["parameters"].append(
        {"name": "Key", "in": "header", "required": True, "schema": {"type": "string"}}
    ),
    "GET /v1/things ?kind[]: no longer takes 'b'": lambda d: listing(d)["parameters"][0]["schema"]["items"].update(
        enum=["a"]
    ),
    "GET /v1/things ?limit: maximum is now 50": lambda d: listing(d)["parameters"][1]["schema"].update(maximum=50),
    "GET /v1/things ?limit: minimum is now 2": lambda d: listing(d)["parameters"][1]["schema"].update(minimum=2),
    "POST /v1/things: no longer takes a body": lambda d: creating(d).pop("requestBody"),
    "POST /v1/things body.size: is required now": lambda d: sent(d)["required"].append("size"),
    "POST /v1/things body.new: is required now": lambda d: sent(d).update(
        required=["name", "new"], properties=sent(d)["properties"] | {"new": {"type": "string"}}
    ),
    "POST /v1/things body.size: is gone": lambda d: sent(d)["properties"].pop("size"),
    "POST /v1/things body.size: the type integer, number is now integer": lambda d: sent(d)["properties"].update(
        size={"type": "integer"}
    ),
    "POST /v1/things body.name: maxLength is now 100": lambda d: sent(d)["properties"]["name"].update(maxLength=100),
    "POST /v1/things body.name: the pattern is another": lambda d: sent(d)["properties"]["name"].update(pattern="^a"),
    "POST /v1/things body.kind: no longer takes 'a'": lambda d: sent(d)["properties"]["kind"]["anyOf"][0].update(
        enum=["b"]
    ),
    "POST /v1/things body.kind: the type null is now string": lambda d: sent(d)["properties"].update(
        kind={"type": "string", "enum": ["a", "b"]}
    ),
    "GET /v1/things 200.name: is gone": lambda d: read(d)["properties"].pop("name"),
    "GET /v1/things 200.name: may be missing now": lambda d: read(d)["required"].remove("name"),
    "GET /v1/things 200.count: the type integer is now number": lambda d: (
        read(d)["properties"].update(count={"type": "number"}) and None
    ),
    "GET /v1/things 200.at: the format date is now date-time": lambda d: read(d)["properties"]["at"].update(
        format="date-time"
    ),
    "GET /v1/things 200.name: the type string is now null": lambda d: read(d)["properties"].update(
        name={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
}


@pytest.mark.parametrize(("said", "change"), BREAKING.items(), ids=list(BREAKING))
def test_what_breaks_clients_is_found(said: str, change: Change) -> None:
    found = after(change)
    assert any(one.startswith(said.rsplit(" is now ", 1)[0]) for one in found), found


HARMLESS: dict[str, Change] = {
    "nothing": lambda d: None,
    "another operation": lambda d: d["paths"].update({"/v1/more": {"get": {"operationId": "x", "responses": {}}}}),
    "an optional parameter": lambda d: listing(d)["parameters"].append(
        {"name": "q", "in": "query", "schema": {"type": "string"}}
    ),
    "an optional field": lambda d: sent(d)["properties"].update(more={"type": "string"}),
    "a field of an answer": lambda d: read(d)["properties"].update(more={"type": "string"}),
    "a required field of an answer": lambda d: read(d)["required"].append("at"),
    "a value that is taken": lambda d: listing(d)["parameters"][0]["schema"]["items"].update(enum=["a", "b", "c"]),
    "a value that is answered": lambda d: read(d)["properties"]["kind"].update(enum=["a", "b", "c"]),
    "wider limits": lambda d: listing(d)["parameters"][1]["schema"].update(minimum=0, maximum=1000),
    "a body that may be absent": lambda d: creating(d)["requestBody"].update(required=False),
    "a field that may be absent": lambda d: sent(d).update(required=[]),
    "a type that is taken too": lambda d: sent(d)["properties"].update(
        name={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "no token needed": lambda d: creating(d).update(security=[]),
    "another problem": lambda d: listing(d)["responses"].pop("404"),
    "other words": lambda d: read(d).update(title="Other", description="Other"),
    "a schema under another name": lambda d: (
        d["components"]["schemas"].update(Other=sent(d)),
        creating(d)["requestBody"]["content"]["application/json"].update(schema={"$ref": "#/components/schemas/Other"}),
    ),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=list(HARMLESS))
def test_what_breaks_nothing_passes(change: Change) -> None:
    assert after(change) == []


def test_a_new_major_version_may_break_all() -> None:
    assert after(lambda d: d["paths"].clear()) == [
        "GET /v1/things: is gone",
        "POST /v1/things: is gone",
    ]
    assert after(lambda d: (d["paths"].clear(), d["info"].update(version="2.0.0"))) == []
