"""Whether clients made for one OpenAPI document still work with another.

What a client sends must go on being taken, what it reads must go on being there. New operations, optional parameters
and fields of answers, and values of answers' enumerations break nothing: clients are told to expect them.
"""

from collections.abc import Iterator
from operator import gt, lt
from typing import Any, Final, Literal, NamedTuple

Document = dict[str, Any]
Schema = dict[str, Any]
Direction = Literal["sent", "read"]

METHODS: Final = ("get", "put", "post", "patch", "delete")

# A limit on what is sent, and how the new one may not compare to the old.
_TIGHTER: Final = {
    "maxLength": lt,
    "maximum": lt,
    "exclusiveMaximum": lt,
    "maxItems": lt,
    "maxProperties": lt,
    "minLength": gt,
    "minimum": gt,
    "exclusiveMinimum": gt,
    "minItems": gt,
    "minProperties": gt,
}


def breaks(old: Document, new: Document) -> list[str]:
    """What would break for clients of `old`, in words; nothing where the major version says so."""
    if _major(old) != _major(new):
        return []
    return list(dict.fromkeys(_Comparison(old, new).documents()))


def _major(document: Document) -> str:
    return str(document["info"]["version"]).partition(".")[0]


class _Pair(NamedTuple):
    old: Schema
    new: Schema


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new
        self._under_way: set[tuple[str, str, Direction]] = set()

    def documents(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                where = f"{method.upper()} {path}"
                changed = self._new["paths"].get(path, {}).get(method)
                if changed is None:
                    yield f"{where}: is gone"
                else:
                    yield from self._operation(where, item[method], changed)

    def _operation(self, where: str, old: Document, new: Document) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{where}: operationId {old['operationId']} is now {new['operationId']}"
        if _open_to_all(self._old, old) and not _open_to_all(self._new, new):
            yield f"{where}: needs a token now"
        yield from self._parameters(where, old, new)
        yield from self._body(where, old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if not status.startswith("2"):
                continue
            if status not in new["responses"]:
                yield f"{where}: no longer answers {status}"
                continue
            yield from self._content(f"{where} {status}", answer, new["responses"][status], "read")

    def _parameters(self, where: str, old: Document, new: Document) -> Iterator[str]:
        before = {(each["in"], each["name"]): each for each in old.get("parameters", [])}
        after = {(each["in"], each["name"]): each for each in new.get("parameters", [])}
        for key, parameter in before.items():
            if key not in after:
                yield f"{where}: the {key[0]} parameter {key[1]} is gone"
            else:
                pair = _Pair(parameter.get("schema", {}), after[key].get("schema", {}))
                yield from self._schema(f"{where} ?{key[1]}", pair, "sent")
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield f"{where}: the {key[0]} parameter {key[1]} is required now"

    def _body(self, where: str, old: Document | None, new: Document | None) -> Iterator[str]:
        if new is not None and new.get("required") and not (old or {}).get("required"):
            yield f"{where}: a body is required now"
        if old is not None and new is None:
            yield f"{where}: no longer takes a body"
        elif old is not None and new is not None:
            yield from self._content(f"{where} body", old, new, "sent")

    def _content(self, where: str, old: Document, new: Document, direction: Direction) -> Iterator[str]:
        for kind, media in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"{where}: no longer {kind}"
            else:
                pair = _Pair(media.get("schema", {}), new["content"][kind].get("schema", {}))
                yield from self._schema(where, pair, direction)

    def _schema(self, where: str, pair: _Pair, direction: Direction) -> Iterator[str]:
        names = (pair.old.get("$ref", ""), pair.new.get("$ref", ""), direction)
        if names[0] and names[1]:
            # Schemas refer to themselves; and what was compared once need not be again below.
            if names in self._under_way:
                return
            self._under_way.add(names)
        old, new = _resolved(self._old, pair.old), _resolved(self._new, pair.new)
        choices = _choices(old), _choices(new)
        if len(choices[0]) > 1 or len(choices[1]) > 1:
            yield from self._alternatives(where, choices, direction)
            return
        old, new = choices[0][0], choices[1][0]
        if "$ref" in old or "$ref" in new:
            yield from self._schema(where, _Pair(old, new), direction)
            return
        types = _types(old), _types(new)
        lost = types[0] - types[1] if direction == "sent" else types[1] - types[0]
        if lost and types[0] and types[1]:
            yield f"{where}: the type {_said(types[0])} is now {_said(types[1])}"
            return
        yield from _values(where, old, new, direction)
        yield from self._object(where, old, new, direction)
        if "items" in old and "items" in new:
            yield from self._schema(f"{where}[]", _Pair(old["items"], new["items"]), direction)

    def _alternatives(
        self, where: str, choices: tuple[list[Schema], list[Schema]], direction: Direction
    ) -> Iterator[str]:
        """Each thing that could be sent still can be; each that can be read could be before."""
        old, new = choices
        asked, given = (old, new) if direction == "sent" else (new, old)
        for one in asked:
            pairs = [_Pair(one, other) if direction == "sent" else _Pair(other, one) for other in given]
            findings = [list(self._trial(where, pair, direction)) for pair in pairs]
            if all(findings):
                yield min(findings, key=len)[0]

    def _trial(self, where: str, pair: _Pair, direction: Direction) -> Iterator[str]:
        before = set(self._under_way)
        yield from self._schema(where, pair, direction)
        self._under_way = before

    def _object(self, where: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required = set(old.get("required", [])), set(new.get("required", []))
        for name, schema in before.items():
            if name not in after:
                if direction == "read" or new.get("additionalProperties") is False:
                    yield f"{where}.{name}: is gone"
            else:
                yield from self._schema(f"{where}.{name}", _Pair(schema, after[name]), direction)
        if direction == "sent":
            yield from (f"{where}.{name}: is required now" for name in sorted(required[1] - required[0]))
            if new.get("additionalProperties") is False and old.get("additionalProperties") is not False and before:
                yield f"{where}: other fields are refused now"
        else:
            yield from (
                f"{where}.{name}: may be missing now" for name in sorted((required[0] - required[1]) & after.keys())
            )


def _values(where: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
    if old.get("format") != new.get("format"):
        yield f"{where}: the format {old.get('format')} is now {new.get('format')}"
    if direction == "read":
        return
    before, after = _enumerated(old), _enumerated(new)
    if after is not None and (before is None or before - after):
        yield f"{where}: no longer takes {_said(before - after) if before else 'other values'}"
    if new.get("pattern") not in (None, old.get("pattern")):
        yield f"{where}: the pattern is another"
    for limit, tighter in _TIGHTER.items():
        if limit in new and (limit not in old or tighter(new[limit], old[limit])):
            yield f"{where}: {limit} is now {new[limit]}"


def _resolved(document: Document, schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _choices(schema: Schema) -> list[Schema]:
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def _types(schema: Schema) -> set[str]:
    said = schema.get("type", [])
    found = {said} if isinstance(said, str) else set(said)
    # Every integer is a number: what took numbers takes them, what reads numbers reads them.
    return found | ({"integer"} if "number" in found else set())


def _enumerated(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(value) for value in schema["enum"]} if "enum" in schema else None


def _said(values: set[str]) -> str:
    return ", ".join(sorted(values))


def _open_to_all(document: Document, operation: Document) -> bool:
    security = operation.get("security", document.get("security", []))
    return not security or {} in security
