"""The form as a JSON Schema with labels: what front ends draw is what `submit` checks."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from services.practices.schemas import PracticeDraft
from shared import reference
from shared.languages import Language

LABELS: dict[str, Any] = json.loads((Path(__file__).with_name("data") / "form.json").read_text("utf-8"))
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Which reference list has the choices of a field, and the name of their key there.
CHOICES = {
    "primary_objectives": ("objectives", "number"),
    "secondary_objectives": ("objectives", "number"),
    "principles": ("principles", "code"),
    "sdgs": ("sdgs", "number"),
}
# Too many to repeat here: where a front end reads them.
ELSEWHERE = {"countries": "/v1/reference/countries", "call": "/v1/practices/calls?open=true"}


@cache
def schema(language: Language) -> dict[str, Any]:
    """The schema of a complete practice; labels, help and choices in `language`."""
    drawn = PracticeDraft.model_json_schema(ref_template="#/$defs/{model}")
    definitions = {name: _plain(each) for name, each in drawn["$defs"].items()}
    for name, each in definitions.items():
        _complete(each, LABELS["inside"].get(name, []))
        for inner, value in each.get("properties", {}).items():
            _label(value, inner, language)
    _choose(definitions["PracticeOrganisation"]["properties"]["type"], "entity-types", "code", language)
    fields = _plain(drawn)
    _complete(fields, LABELS["required"])
    steps = {name: step["name"] for step in LABELS["steps"] for name in step["fields"]}
    properties = {name: _labelled(name, fields["properties"][name], language) for name in steps}
    return {
        "$schema": DIALECT,
        "title": LABELS["title"][language],
        "description": LABELS["description"][language],
        "type": "object",
        "properties": {name: {**value, "x-step": steps[name]} for name, value in properties.items()},
        "required": fields["required"],
        "allOf": LABELS["when"],
        "$defs": definitions,
        "x-steps": [{"name": step["name"], "title": step["title"][language]} for step in LABELS["steps"]],
    }


def _plain(drawn: dict[str, Any]) -> dict[str, Any]:
    """A model's schema without null: a value that is not known is left out."""
    made = deepcopy(drawn)
    for value in made.get("properties", {}).values():
        value.pop("title", None)
        value.pop("default", None)
        kinds = [kind for kind in value.pop("anyOf", []) if kind.get("type") != "null"]
        if kinds:
            # A description beside the value is the field's own.
            value |= {**kinds[0], **value}
    made.pop("title", None)
    return made


def _complete(drawn: dict[str, Any], required: list[str]) -> None:
    """Ask for these properties, and that they hold something."""
    drawn["required"] = required
    for name in required:
        value = drawn["properties"][name]
        match value.get("type"):
            case "string" if "pattern" not in value and "enum" not in value:
                value["pattern"] = r"\S"
            case "array":
                value["minItems"] = 1
    if not required:
        del drawn["required"]


def _labelled(name: str, value: dict[str, Any], language: Language) -> dict[str, Any]:
    _label(value, name, language)
    if name in CHOICES:
        _choose(value["items"], *CHOICES[name], language)
    if name in ELSEWHERE:
        value["x-choices"] = ELSEWHERE[name]
    words = LABELS["inner"] if name == "language" else LABELS["fields"][name].get("options", {})
    if choices := value.pop("enum", []):
        value["oneOf"] = [{"const": choice, "title": words[choice][language]} for choice in choices]
    return value


def _label(value: dict[str, Any], name: str, language: Language) -> None:
    if name in LABELS["fields"]:
        words = LABELS["fields"][name]
        value["title"], value["description"] = words["label"][language], words["help"][language]
    elif name in LABELS["inner"]:
        value["title"] = LABELS["inner"][name][language]


def _choose(value: dict[str, Any], listed: str, key: str, language: Language) -> None:
    """Choices with the official labels; `x-language` where one is not recorded in this language."""
    value.pop("enum", None)
    value["oneOf"] = [
        {
            "const": row[key],
            "title": row["label"],
            **({"x-language": row["label_language"]} if row["label_language"] != language else {}),
        }
        for row in reference.listing(listed, language)
    ]
