"""Bad input gets a clear problem document, and nothing is half-written."""

import json
from typing import Any

import pytest

from tests.clients import Api, token
from tests.shared import tokens
from tests.shared.conftest import KENYA

JSON = {"content-type": "application/json"}


def assert_problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert {"title", "detail", "instance"} <= set(body)
    return body


async def drafts(api: Api) -> int:
    answer = await api.get("/v1/pledges", by=KENYA, params={"view": "mine", "total": "true"})
    return int(answer.json()["total"])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"nonsense",
        b'{"title": "x",}',
        b"{'title': 'x'}",
        b'{"title": NaN}',
        b'{"title": "\xff"}',
        b'{"title": "\\ud800"}',
        b'{"title": "a"} {}',
        b"[" * 100_000,
        b'{"title":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
async def test_a_body_that_is_no_json_is_malformed(api: Api, body: bytes) -> None:
    before = await drafts(api)
    assert_problem(await api.post("/v1/pledges", by=KENYA, content=body, headers=JSON), 400, "malformed")
    assert await drafts(api) == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": "x" * 201}, "/title"),
        ({"title": 7}, "/title"),
        ({"surprise": 1}, "/surprise"),
        ({"entity": {"name": "Kenya", "secret": 1}}, "/entity/secret"),
        ({"objectives": [6, 24]}, "/objectives/1"),
        ({"objectives": [6, 6]}, "/objectives"),
        ({"objectives": 6}, "/objectives"),
        ({"countries": ["KEN", "XXX"]}, "/countries/1"),
        ({"principles": ["human_rights", "happiness"]}, "/principles/1"),
        ({"language": "klingon!"}, "/language"),
        ({"financial": {"amount": 200000}}, "/financial/amount"),
        ({"financial": {"amount": "1e9"}}, "/financial/amount"),
        ({"financial": {"currency": "euro"}}, "/financial/currency"),
        ({"starts_on": "2026-02-30"}, "/starts_on"),
        ({"starts_on": "0000"}, "/starts_on"),
        ({"contact": {"email": "not an address"}}, "/contact/email"),
        ({"indicators": [{"unit": "persons"}]}, "/indicators/0/name"),
        ({"gcm_actions": ["24.a"]}, "/gcm_actions/0"),
        ([], ""),
        ("text", ""),
    ],
)
async def test_a_field_at_fault_is_pointed_to(api: Api, body: Any, pointer: str) -> None:
    before = await drafts(api)
    problem = assert_problem(await api.post("/v1/pledges", by=KENYA, json=body), 422, "invalid")
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert await drafts(api) == before


async def test_a_nul_character_is_refused_and_an_escaped_backslash_is_not(api: Api) -> None:
    nul = await api.post("/v1/pledges", by=KENYA, content=b'{"title": "a\\u0000b"}', headers=JSON)
    assert_problem(nul, 422, "invalid")
    backslash = await api.post("/v1/pledges", by=KENYA, content=b'{"title": "a\\\\u0000b"}', headers=JSON)
    assert backslash.status_code == 201
    assert backslash.json()["title"] == "a\\u0000b"
    assert_problem(await api.get("/v1/pledges?q=a%00b"), 422, "invalid")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "multipart/form-data", "application/jsonp", ""]
)
async def test_another_media_type_is_refused(api: Api, media_type: str) -> None:
    answer = await api.post("/v1/pledges", by=KENYA, content=b"{}", headers={"content-type": media_type})
    assert_problem(answer, 415, "unsupported-media-type")


async def test_json_with_a_charset_and_a_merge_patch_are_taken(api: Api) -> None:
    made = await api.post(
        "/v1/pledges", by=KENYA, content=b"{}", headers={"content-type": "application/json; charset=utf-8"}
    )
    assert made.status_code == 201
    patched = await api.patch(
        made.headers["location"],
        by=KENYA,
        content=b'{"title": "Merged"}',
        headers={"content-type": "application/merge-patch+json", "if-match": made.headers["etag"]},
    )
    assert patched.json()["title"] == "Merged"


async def test_a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not(api: Api) -> None:
    large = json.dumps({"description": "x" * (1024 * 1024)}).encode()
    assert_problem(await api.post("/v1/pledges", by=KENYA, content=large, headers=JSON), 413, "too-large")

    async def parts() -> Any:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    assert_problem(await api.post("/v1/pledges", by=KENYA, content=parts(), headers=JSON), 413, "too-large")


@pytest.mark.parametrize(
    "query",
    [
        "surprise=1",
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=99999999999999999999",
        "cursor=nonsense",
        "cursor=W10",
        "cursor=%F0%9F%98%80",
        "objective=24",
        "objective=",
        "country=KE",
        "country=ken",
        "region=Africa",
        "sort=surprise",
        "published_from=2026-02-30",
        "published_from=yesterday",
        "published_from=0",
        "published_to=1763683200",
        "view=theirs",
        "q=",
        "q=" + "x" * 201,
        "total=perhaps",
        "language=%00",
    ],
)
async def test_parameters_that_are_not_as_documented_are_refused(api: Api, query: str) -> None:
    assert_problem(await api.get(f"/v1/pledges?{query}"), 422, "invalid")


async def test_an_unknown_parameter_is_named(api: Api) -> None:
    problem = assert_problem(await api.get("/v1/pledges/summary?obective=6"), 422, "invalid")
    assert problem["errors"] == [{"pointer": "?obective", "detail": "No such parameter here."}]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "junk",
        "a.b.c",
        tokens.token(tokens.payload(iss="https://elsewhere.example"), tokens.EC, "ES256"),
        tokens.token(tokens.payload(aud="other"), tokens.EC, "ES256"),
        tokens.token(tokens.payload(exp=1), tokens.EC, "ES256"),
        tokens.token(tokens.payload(), tokens.RSA),
        tokens.by_hand({"alg": "none", "kid": "ec", "typ": "at+jwt"}, tokens.payload(), b""),
    ],
)
async def test_a_bad_token_is_401_on_public_reads_too(api: Api, bad: str) -> None:
    for path in ("/v1/pledges", "/v1/pledges/summary"):
        answer = await api.get(path, headers={"authorization": f"Bearer {bad}"})
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_order_of_answers(api: Api) -> None:
    """401 before 400 before 404 before 403 before 428 and 412 before 409."""
    nowhere = "/v1/pledges/01900000-0000-7000-8000-000000000000"
    assert_problem(await api.patch(nowhere, content=b"{", headers=JSON), 401, "unauthorized")
    assert_problem(await api.patch(nowhere, by=KENYA, content=b"{", headers=JSON), 400, "malformed")
    assert_problem(await api.patch(nowhere, by=KENYA, json={"title": 1}), 422, "invalid")
    assert_problem(await api.patch(nowhere, by=KENYA, json={}), 404, "not-found")
    made = await api.post("/v1/pledges", by=KENYA, json={"title": "Order"})
    where = made.headers["location"]
    assert_problem(await api.patch(where, by=token("rosa", entity="gov-per"), json={}), 404, "not-found")
    assert_problem(await api.patch(where, by=KENYA, json={}), 428, "precondition-required")
    assert_problem(await api.patch(where, by=KENYA, json={}, headers={"if-match": '"0"'}), 412, "stale")
    await api.post(f"{where}/actions/withdraw", by=KENYA, json={"comment": "no"})
    current = (await api.get(where, by=KENYA)).headers["etag"]
    assert_problem(await api.patch(where, by=KENYA, json={}, headers={"if-match": '"0"'}), 412, "stale")
    assert_problem(await api.patch(where, by=KENYA, json={}, headers={"if-match": current}), 409, "conflict")


async def test_paths_and_methods_that_are_not_there(api: Api) -> None:
    assert_problem(await api.get("/v1/nothing"), 404, "not-found")
    assert_problem(await api.get("/v1/pledges/"), 404, "not-found")
    wrong = await api.put("/v1/pledges", by=KENYA, json={})
    assert_problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"] == "GET, HEAD, POST"
    assert_problem(await api.patch("/v1/pledges/summary", by=KENYA, json={}), 405, "method-not-allowed")
    assert_problem(await api.get("/v1/pledges/not-an-id"), 404, "not-found")


async def test_head_is_get_without_its_body(api: Api) -> None:
    got = await api.get("/v1/pledges")
    head = await api.request("HEAD", "/v1/pledges")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == got.headers["etag"]


async def test_request_ids_come_back_when_they_are_sane(api: Api) -> None:
    assert (await api.get("/livez", headers={"x-request-id": "abc-1"})).headers["x-request-id"] == "abc-1"
    made = (await api.get("/livez", headers={"x-request-id": "a b\tc"})).headers["x-request-id"]
    assert made != "a b\tc"
    assert len(made) == 32


async def test_a_fault_of_ours_tells_nothing_of_itself(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("services.pledges.service.create", broken)
    answer = await api.post("/v1/pledges", by=KENYA, json={})
    assert_problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "x-request-id" in answer.headers
