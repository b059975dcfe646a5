"""Tokens for development: an OAuth2 password form that believes whoever asks. Never part of the contract."""

import os
import re
import secrets
import time
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic_core import from_json, to_json
from starlette.responses import Response

from gateway.settings import Settings
from shared.jwks import FixedKeys
from shared.problems import Fault, Problem
from shared.settings import DEVELOPMENT_ISSUER, DEVELOPMENT_KEY_PREFIX

LIFETIME: Final = 8 * 3600
"""Seconds for which a token is good: a working day."""

_FORM_LIMIT: Final = 16 * 1024
_FIT: Final = {
    "username": re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}"),
    "roles": re.compile(r"[a-z][a-z_]{0,49}"),
    "entity": re.compile(r"[a-z0-9][a-z0-9-]{0,79}"),
    "countries": re.compile(r"[A-Z]{3}"),
}


def signing_key(folder: Path) -> ECKey:
    """The key in `folder`, made in the first call: whole or not at all, and only for its owner to read."""
    path = folder / "development-key.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        kid = DEVELOPMENT_KEY_PREFIX + secrets.token_hex(8)
        made = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"}, private=True)
        draft = folder / f".{kid}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(to_json(made.as_dict(private=True)))
        try:
            # Two who start at once must agree on one key: the second link fails.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return ECKey.import_key(from_json(path.read_bytes()))


def _wanted(form: dict[str, str]) -> dict[str, Any]:
    """What the token is to say: the fields of the form, and what `scope` says the same way."""
    roles, countries = form.get("roles", "").split(), form.get("countries", "").split()
    entity = form.get("entity", "").strip()
    for item in form.get("scope", "").split():
        kind, colon, value = item.partition(":")
        match kind if colon else "role":
            case "role":
                roles.append(item if not colon else value)
            case "entity":
                entity = value
            case "country":
                countries.append(value)
            case _:
                raise _unfit("scope")
    return {
        "username": form.get("username", ""),
        "roles": list(dict.fromkeys(roles)),
        "entity": entity,
        "countries": list(dict.fromkeys(countries)),
    }


def _unfit(name: str) -> Problem:
    return Problem("invalid", "The form cannot be made into a token.", [Fault(pointer=f"/{name}", detail="not fit")])


def claims(form: dict[str, str], settings: Settings) -> dict[str, Any]:
    """The claims of an RFC 9068 access token for a form. Raises Problem `invalid`."""
    wanted = _wanted(form)
    for name, pattern in _FIT.items():
        given = wanted[name] if isinstance(wanted[name], list) else [wanted[name]]
        optional = name == "entity" and given == [""]
        if not optional and not all(pattern.fullmatch(value) for value in given):
            raise _unfit(name)
    now, sub = int(time.time()), wanted["username"]
    made = {
        "iss": DEVELOPMENT_ISSUER,
        "aud": settings.oidc_audience,
        "sub": sub,
        "client_id": form.get("client_id") or "development",
        "iat": now,
        "exp": now + LIFETIME,
        "jti": secrets.token_hex(16),
        "name": sub,
        "email": sub if "@" in sub else f"{re.sub(r'[^A-Za-z0-9.-]', '-', sub)}@example.org",
        "roles": wanted["roles"],
        "countries": wanted["countries"],
    }
    return made | ({"entity": wanted["entity"]} if wanted["entity"] else {})


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Problem("unsupported-media-type", "Send application/x-www-form-urlencoded.")
    if int(request.headers.get("content-length") or 0) > _FORM_LIMIT:
        raise Problem("too-large", f"The form may have at most {_FORM_LIMIT} bytes.")
    async with request.form(max_files=0, max_fields=20, max_part_size=_FORM_LIMIT) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def own_keys(settings: Settings) -> FixedKeys | None:
    """What development tokens are signed with, where those are the ones believed."""
    if not settings.development or settings.oidc_issuer != DEVELOPMENT_ISSUER:
        return None
    key = signing_key(settings.data_dir)
    return FixedKeys({str(key.kid): key})


def router(settings: Settings) -> APIRouter:
    """`POST /dev/token` and `GET /dev/jwks.json`, signing with the key in the data folder."""
    key = signing_key(settings.data_dir)
    routes = APIRouter(prefix="/dev", include_in_schema=False)
    no_store = {"cache-control": "no-store"}

    @routes.post("/token")
    async def token(request: Request) -> Response:
        said = claims(await _form(request), settings)
        signed = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": key.kid}, said, key)
        content = {"access_token": signed, "token_type": "bearer", "expires_in": LIFETIME}
        return Response(to_json(content), headers=no_store, media_type="application/json")

    @routes.get("/jwks.json")
    async def jwks() -> Response:
        content = {"keys": [key.as_dict(private=False)]}
        return Response(to_json(content), headers=no_store, media_type="application/json")

    return routes
