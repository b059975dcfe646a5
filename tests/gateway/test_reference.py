"""The reference lists at the gateway."""

import httpx
import pytest

from shared.reference_schemas import LIST_MODELS


@pytest.mark.parametrize("name", LIST_MODELS)
async def test_each_list_is_as_its_schema_says(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/v1/reference/{name}")
    assert answer.status_code == 200
    LIST_MODELS[name].model_validate_json(answer.content)
    assert answer.json()["items"]
    assert answer.headers["cache-control"].startswith("public, max-age=")


async def test_labels_are_in_the_callers_language(client: httpx.AsyncClient) -> None:
    labels = {}
    for language in ("en", "fr", "es"):
        answer = await client.get("/v1/reference/objectives", headers={"accept-language": f"{language}-XX, de;q=0.5"})
        assert answer.headers["content-language"] == language
        assert "accept-language" in answer.headers["vary"].lower()
        labels[language] = answer.json()["items"][0]["label"]
    assert labels == {"en": "Data", "fr": "Données", "es": "Datos"}


async def test_an_unchanged_list_is_not_sent_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/v1/reference/members")).headers["etag"]
    answer = await client.get("/v1/reference/members", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_what_is_not_known_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/reference/members?lang=fr")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "?lang", "detail": "No such parameter here."}]
    assert (await client.get("/v1/reference/planets")).status_code == 404
    assert (await client.post("/v1/reference/members")).status_code == 405


async def test_head_answers_without_a_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/v1/reference/members")
    assert (answer.status_code, answer.content) == (200, b"")
