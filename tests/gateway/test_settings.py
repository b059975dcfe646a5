"""What the gateway refuses to start with."""

import pytest
from pydantic import ValidationError

from gateway.settings import Settings

PRODUCTION = {"oidc_issuer": "https://issuer.example"}


def test_production_needs_a_real_provider() -> None:
    assert not Settings(environment="production", **PRODUCTION).development
    with pytest.raises(ValidationError, match="OIDC_ISSUER"):
        Settings(environment="production")


@pytest.mark.parametrize(
    "given",
    [
        PRODUCTION | {"clock_offset_days": 1},
        PRODUCTION | {"pledges_url": "127.0.0.1:8001"},
        PRODUCTION | {"pledges_url": "http://127.0.0.1:8001/v1"},
        PRODUCTION | {"pledges_url": "ftp://127.0.0.1"},
        PRODUCTION | {"trusted_proxies": "10.0.0.0/8, somewhere"},
        PRODUCTION | {"trusted_proxies": "10.0.0.1/8"},
        PRODUCTION | {"rate_limit": "often"},
        PRODUCTION | {"answer_timeout": 0},
    ],
)
def test_what_cannot_hold_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**given)  # type: ignore[arg-type]


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "development")
    monkeypatch.setenv("PLEDGES_URL", "http://pledges:9/")
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1 fd00::/8")
    monkeypatch.setenv("RATE_LIMIT", "600/minute")
    settings = Settings()
    assert settings.service_urls["pledges"] == "http://pledges:9"
    assert [str(network) for network in settings.trusted_networks] == ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]
    assert settings.development
