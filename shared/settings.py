"""What a service process is told by its environment: read once, refused where unsafe."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_ISSUER = "urn:gcm:development"
DEVELOPMENT_AUDIENCE = "gcm-platform"
# Every development key's id begins so; outside development no such key is believed.
DEVELOPMENT_KEY_PREFIX = "development-"


class CommonSettings(BaseSettings):
    """What every process is told: where it runs, and whose tokens it believes."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    environment: Literal["production", "development"] = "production"
    oidc_issuer: str = DEVELOPMENT_ISSUER
    oidc_audience: str = DEVELOPMENT_AUDIENCE
    oidc_jwks_url: str | None = None
    oidc_accept_typ_jwt: bool = False
    # Under which claims a provider says these: a name, or a path with dots into nested objects.
    oidc_claim_name: str = "name"
    oidc_claim_email: str = "email"
    oidc_claim_roles: str = "roles"
    oidc_claim_entity: str = "entity"
    oidc_claim_countries: str = "countries"
    clock_offset_days: int = Field(default=0, ge=-36500, le=36500)
    public_url: str = "http://127.0.0.1:8000"

    @property
    def development(self) -> bool:
        return self.environment == "development"

    @model_validator(mode="after")
    def _refuse_what_is_unsafe(self) -> Self:
        if self.development:
            return self
        if self.oidc_issuer == DEVELOPMENT_ISSUER:
            raise ValueError("OIDC_ISSUER must name a real provider outside development")
        if self.oidc_jwks_url and "/dev/" in self.oidc_jwks_url:
            raise ValueError("OIDC_JWKS_URL names development keys outside development")
        if self.clock_offset_days:
            raise ValueError("CLOCK_OFFSET_DAYS moves the clock in development only")
        return self


class Settings(CommonSettings):
    """Settings of one service. `Settings.read("pledges")` takes the service's own database from the environment."""

    database_url: str | None = Field(default=None, validation_alias="_no_variable_of_this_name")
    database_pool_size: int = Field(default=8, ge=1, le=100)
    run_worker: bool = True
    # Seconds without a sign of life after which a worker's jobs are taken over.
    worker_stalled_after: float = Field(default=30, ge=1)
    smtp_url: str | None = None
    mail_from: str = "Migration Network <no-reply@localhost.localdomain>"
    # Who hears of what waits for the secretariat; nobody, unless it is set.
    secretariat_mail: str | None = None
    # The same for the Fund Management Unit.
    fund_management_unit_mail: str | None = None
    data_dir: Path = Path(".data")
    # What looks for malware in files that people send: `clamd://host:3310`, `unix:///run/clamd.sock`, or a command
    # that is given the file's path and exits 0 for clean and 1 for infected. Unset: nothing looks.
    scan_with: str | None = None

    @classmethod
    def read(cls, service: str) -> Self:
        """Read the environment for `service`; its database is `<SERVICE>_DATABASE_URL`."""
        return cls(_no_variable_of_this_name=os.environ.get(f"{service.upper()}_DATABASE_URL"))
