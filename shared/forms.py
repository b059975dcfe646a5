"""A form as a JSON Schema with labels: what front ends draw is what `submit` checks."""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import BaseModel

from shared import reference
from shared.languages import LANGUAGES, Language
from shared.problems import Fault, pointer

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Form:
    """The form of one kind of record.

    `model` is the draft that clients send. `words` is a JSON file: `title` and `description`; `steps` with their
    fields in order; `required` fields and, by nested model, those `inside`; `when`: further JSON Schemas that
    all must hold (`x-pointer` names the field at fault where the schema's own place does not); `fields`, with
    `label`, `help` and the names of their `options`; `inner`: labels of nested fields; `whole`: what a missing
    object lacks, where that depends on the rest; `asks`: what `submit`
    says of a field, in English, where the label alone does not say it. `choices` maps a field to the reference
    list and key its values come from, `elsewhere` to the address of a list too long to repeat.
    """

    def __init__(
        self,
        model: type[BaseModel],
        words: Path,
        *,
        choices: Mapping[str, tuple[str, str]],
        elsewhere: Mapping[str, str],
    ) -> None:
        self.model = model
        self.words: dict[str, Any] = json.loads(words.read_text("utf-8"))
        self.choices = choices
        self.elsewhere = elsewhere
        self.schema = cache(self._schema)
        self._validator = Draft202012Validator(self.schema(LANGUAGES[0]))

    def _schema(self, language: Language) -> dict[str, Any]:
        """The schema of a complete record; labels, help and choices in `language`."""
        drawn = self.model.model_json_schema(ref_template="#/$defs/{model}")
        definitions = {name: _plain(each) for name, each in drawn.get("$defs", {}).items()}
        for name, each in definitions.items():
            _complete(each, self.words["inside"].get(name, []))
            each.update(self.words.get("inside_when", {}).get(name, {}))
            for inner, value in each.get("properties", {}).items():
                self._inside(value, inner, language)
        fields = _plain(drawn)
        _complete(fields, self.words["required"])
        steps = {name: step["name"] for step in self.words["steps"] for name in step["fields"]}
        return {
            "$schema": DIALECT,
            "title": self.words["title"][language],
            "description": self.words["description"][language],
            "type": "object",
            "properties": {
                name: {**self._labelled(name, fields["properties"][name], language), "x-step": step}
                for name, step in steps.items()
            },
            "required": fields["required"],
            **({"allOf": self.words["when"]} if self.words["when"] else {}),
            "$defs": definitions,
            "x-steps": [{"name": step["name"], "title": step["title"][language]} for step in self.words["steps"]],
        }

    def gaps(self, content: Mapping[str, Any]) -> list[Fault]:
        """One fault for each thing that a complete record still misses."""
        found: dict[str, str] = {}
        for error in self._validator.iter_errors(dict(content)):
            path = list(error.absolute_path)
            if isinstance(error.schema, dict) and "x-pointer" in error.schema:
                missing = [[*path, error.schema["x-pointer"]]]
            elif error.validator == "required":
                missing = [[*path, name] for name in error.validator_value if name not in error.instance]
            else:
                missing = [path]
            for each in missing:
                for whole in self._whole(each):
                    found[pointer(whole)] = self._ask(whole)
        return [Fault(pointer=where, detail=detail) for where, detail in found.items()]

    def _whole(self, path: list[Any]) -> list[list[Any]]:
        """An object that is not there lacks what is asked inside it."""
        definition = self.schema(LANGUAGES[0])["properties"].get(path[0], {}).get("$ref") if len(path) == 1 else None
        inside = self.words["inside"].get(definition.rpartition("/")[2], []) if definition else []
        inside = self.words.get("whole", {}).get(pointer(path), inside)
        return [[*path, name] for name in inside] or [path]

    def _ask(self, path: list[Any]) -> str:
        where = pointer(part for part in path if not isinstance(part, int))
        if where in self.words.get("asks", {}):
            return str(self.words["asks"][where])
        label = self.schema(LANGUAGES[0])["properties"].get(str(path[0]), {}).get("title", str(path[0]))
        inner = f", {path[-1]}" if len(path) > 1 else ""
        return f"Still needed: {label}{inner}."

    def _labelled(self, name: str, value: dict[str, Any], language: Language) -> dict[str, Any]:
        words = self.words["fields"][name]
        value["title"], value["description"] = words["label"][language], words["help"][language]
        if name in self.choices:
            listed, key = self.choices[name]
            _choose(value.get("items", value), listed, key, language)
        if name in self.elsewhere:
            value["x-choices"] = self.elsewhere[name]
        _options(value, words.get("options", {}), language)
        _options(value.get("items", {}), words.get("options", {}), language)
        return value

    def _inside(self, value: dict[str, Any], name: str, language: Language) -> None:
        if label := self.words["inner"].get(name):
            value["title"] = label[language]
        if name in self.words.get("inner_choices", {}):
            listed, key = self.words["inner_choices"][name]
            _choose(value, listed, key, language)


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
    if not required:
        drawn.pop("required", None)
        return
    drawn["required"] = required
    for name in required:
        value = drawn["properties"][name]
        match value.get("type"):
            case "string" if "pattern" not in value and "enum" not in value:
                value["pattern"] = r"\S"
            case "array":
                value["minItems"] = 1


def _options(value: dict[str, Any], words: Mapping[str, Any], language: Language) -> None:
    """An enumeration with the project's own words for each choice."""
    if words and (choices := value.pop("enum", [])):
        value["oneOf"] = [{"const": choice, "title": words[choice][language]} for choice in choices]


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
