"""One document of all that the services and the gateway say."""

import json
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from gateway.documents import CONTRACT
from tools import contract
from tools.contract import Clash, merge, operations, references

Document = dict[str, Any]


def said(name: str, path: str = "", **operation: Any) -> Document:
    """What an application with one operation says."""
    made = {
        "operationId": f"read_{name}",
        "summary": "Read",
        "tags": [name],
        "responses": {
            "200": {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name.title()}"}}}}
        },
    } | operation
    return {
        "paths": {path or f"/v1/{name}": {"get": made}, "/livez": {"get": {}}},
        "components": {
            "schemas": {
                name.title(): {"type": "object", "properties": {"total": {"type": "integer"}}},
                "Shared": {"type": "string"},
                "Unused": {"type": "null"},
            }
        },
    }


def test_only_public_paths_and_what_they_use_are_merged() -> None:
    merged = merge({"pledges": said("pledges"), "mptf": said("mptf")}, "1.2.3")
    assert list(merged["paths"]) == ["/v1/pledges", "/v1/mptf"]
    assert list(merged["components"]["schemas"]) == ["Mptf", "Pledges"]
    assert [tag["name"] for tag in merged["tags"]] == ["pledges", "mptf"]
    assert merged["info"]["version"] == "1.2.3"
    assert all(operation["security"] == [] for _, operation in operations(merged))


def _different() -> Document:
    other = said("mptf")
    other["components"]["schemas"]["Shared"] = {"type": "integer"}
    return other


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (_different(), "another Shared"),
        (said("mptf", "/v1/pledges"), "a path that another has: /v1/pledges"),
        (said("mptf", operationId="read_pledges"), "operationId of GET /v1/pledges"),
        (said("mptf", operationId=None), "lacks an operationId"),
        (said("mptf", summary=""), "lacks an operationId, a summary"),
        (said("mptf", tags=["planets"]), "nobody describes: planets"),
    ],
)
def test_a_clash_stops_it(other: Document, message: str) -> None:
    with pytest.raises(Clash, match=message):
        merge({"pledges": said("pledges"), "mptf": other}, "1.0.0")


def test_a_section_has_the_fields_of_the_answer_that_it_passes_on() -> None:
    gateway = said("dashboard", **{"x-parameters-of": "/v1/pledges", "parameters": []})
    section = gateway["components"]["schemas"]["Dashboard"]
    section |= {"x-fields-of": "/v1/pledges", "properties": {"state": {"type": "string"}}, "required": ["state"]}
    query = {"name": "country", "in": "query", "schema": {"type": "string"}}
    pledges = said("pledges", parameters=[query])
    merged = merge({"pledges": pledges, "gateway": gateway}, "1.0.0")
    assert merged["components"]["schemas"]["Dashboard"] == {
        "type": "object",
        "properties": {"state": {"type": "string"}, "total": {"type": "integer"}},
        "required": ["state"],
    }
    assert merged["paths"]["/v1/dashboard"]["get"]["parameters"] == [query]
    clashing = deepcopy(gateway)
    clashing["components"]["schemas"]["Dashboard"]["properties"]["total"] = {}
    with pytest.raises(Clash, match="same fields: total"):
        merge({"pledges": pledges, "gateway": clashing}, "1.0.0")


def test_the_committed_contract_is_what_the_services_say() -> None:
    assert contract.main(["--check"]) == 0


def test_the_committed_contract_is_whole() -> None:
    document = json.loads(CONTRACT.read_text("utf-8"))
    validate(document)
    assert set(references(document)) == set(document["components"]["schemas"])
    assert all(path.startswith("/v1/") for path in document["paths"])
    assert "x-fields-of" not in json.dumps(document)
    assert "/dev/" not in json.dumps(document)


def test_what_differs_or_breaks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against a file of our own: what is committed is left alone."""
    kept = json.loads(CONTRACT.read_text("utf-8"))
    mine = tmp_path / "openapi.json"
    monkeypatch.setattr(contract, "CONTRACT", mine)
    assert contract.main(["--check"]) == 1
    assert contract.main([]) == 0
    assert json.loads(mine.read_text("utf-8")) == kept
    assert contract.main(["--check"]) == 0
    kept["paths"]["/v1/gone"] = {"get": {"operationId": "read_gone", "responses": {}}}
    base = tmp_path / "base.json"
    base.write_text(json.dumps(kept))
    capsys.readouterr()
    assert contract.main(["--check", "--base", str(base)]) == 1
    assert "GET /v1/gone: is gone" in capsys.readouterr().err
    kept["info"]["version"] = "0.9.0"
    base.write_text(json.dumps(kept))
    assert contract.main(["--check", "--base", str(base)]) == 0


def test_the_last_release_is_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository of its own with a tag, and one without."""
    folder = tmp_path / "gateway"
    folder.mkdir()
    (folder / "openapi.json").write_text('{"info": {"version": "1.0.0"}}')
    monkeypatch.setattr(contract, "CONTRACT", folder / "openapi.json")

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    assert contract.base(None) is None
    git("tag", "v1.0.0")
    assert contract.base(None) == {"info": {"version": "1.0.0"}}
    assert contract.base("HEAD") == {"info": {"version": "1.0.0"}}
    with pytest.raises(SystemExit):
        contract.base("nowhere")
