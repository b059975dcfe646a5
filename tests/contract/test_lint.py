"""The contract holds to the recommended rules of a linter that its readers use."""

import json
import re
from pathlib import Path

import pytest

from tests import node


def findings(document: Path) -> list[str]:
    """What Redocly's recommended rules find: severity, rule, place and message of each."""
    linted = node.run("redocly", "lint", str(document), "--config", "redocly.yaml", "--format", "json", cwd=node.TOP)
    assert linted.stdout.startswith("{"), linted.stderr
    found = json.loads(linted.stdout)
    assert found["totals"]["ignored"] == 0, "rules are met or argued about, not ignored"
    return [
        f"{one['severity']} {one['ruleId']} {one['location'][0].get('pointer')}: {one['message']}"
        for one in found["problems"]
    ]


def test_the_contract_has_no_error_and_no_warning() -> None:
    assert findings(node.TOP / "gateway" / "openapi.json") == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("operation-operationId", {"operationId": None}),
        ("operation-4xx-response", {"responses": {"200": {"description": "Found"}}}),
        ("security-defined", {"security": None}),
    ],
)
def test_the_linter_would_find(rule: str, change: dict[str, object], tmp_path: Path) -> None:
    """The rules are switched on: a fault of each kind is found."""
    operation = {
        "operationId": "read",
        "summary": "Read",
        "security": [],
        "responses": {"200": {"description": "Found"}, "404": {"description": "Not found"}},
    } | change
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Sample", "version": "1", "license": {"name": "None", "identifier": "MIT"}},
        "servers": [{"url": "/"}],
        "paths": {"/v1/one": {"get": {name: value for name, value in operation.items() if value is not None}}},
    }
    sample = tmp_path / "openapi.json"
    sample.write_text(json.dumps(document))
    assert [found.split()[1] for found in findings(sample)] == [rule]


UUID = "01890000-0000-7000-8000-000000000000"


def test_no_address_is_two_paths() -> None:
    """A word of one path may stand where another has an id: ids are UUIDs or numbers, so no request fits both."""
    contract = json.loads((node.TOP / "gateway" / "openapi.json").read_text())
    patterns: dict[str, str] = {}
    examples: dict[str, str] = {}
    for path, item in contract["paths"].items():
        parameters = [parameter for operation in item.values() for parameter in operation.get("parameters", [])]
        schemas = {parameter["name"]: parameter["schema"] for parameter in parameters if parameter["in"] == "path"}
        patterns[path], examples[path] = re.escape(path), path
        for name, schema in schemas.items():
            fits, example = ("[^/]+", "word")
            if schema.get("format") == "uuid":
                fits, example = "[0-9a-f-]{36}", UUID
            elif schema.get("type") == "integer":
                fits, example = "[0-9]+", "7"
            elif "enum" in schema:
                fits, example = "|".join(schema["enum"]), schema["enum"][0]
            patterns[path] = patterns[path].replace(re.escape(f"{{{name}}}"), f"(?:{fits})")
            examples[path] = examples[path].replace(f"{{{name}}}", example)
    both = [
        (example, one, other)
        for one, example in examples.items()
        for other, pattern in patterns.items()
        if one != other and re.fullmatch(pattern, example)
    ]
    assert both == []
