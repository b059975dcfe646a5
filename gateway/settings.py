"""What the gateway is told by its environment: read once, refused where unsafe."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, Self

import limits
from pydantic import AfterValidator, Field, model_validator

from shared.settings import CommonSettings

SERVICES: Final = ("pledges", "practices", "mptf", "calendar")
"""The services behind the gateway; each owns `/v1/<name>`."""

MEGABYTE: Final = 1024 * 1024


def _base_url(value: str) -> str:
    scheme, _, rest = value.rstrip("/").partition("://")
    if scheme not in ("http", "https") or not rest or "/" in rest or "?" in rest or "@" in rest:
        raise ValueError("a service is named by scheme, host and port: http://127.0.0.1:8001")
    return f"{scheme}://{rest}"


def _rate(value: str) -> str:
    limits.parse(value)
    return value


BaseUrl = Annotated[str, AfterValidator(_base_url)]


class Settings(CommonSettings):
    """Settings of the gateway. Times are seconds, sizes bytes."""

    pledges_url: BaseUrl = "http://127.0.0.1:8001"
    practices_url: BaseUrl = "http://127.0.0.1:8002"
    mptf_url: BaseUrl = "http://127.0.0.1:8003"
    calendar_url: BaseUrl = "http://127.0.0.1:8004"
    trusted_proxies: str = Field(
        default="", description="Addresses and networks whose X-Forwarded-For is believed, space or comma separated."
    )
    data_dir: Path = Path(".data")

    connect_timeout: float = Field(default=2.0, gt=0)
    answer_timeout: float = Field(default=30.0, gt=0, description="From the request's last byte to the first answered.")
    stall_timeout: float = Field(default=60.0, gt=0, description="The longest pause within an answer.")
    dashboard_timeout: float = Field(default=2.0, gt=0)
    body_limit: int = Field(default=51 * MEGABYTE, gt=0, description="Imports are 50 MB; forms add some bytes.")
    cache_bytes: int = Field(default=64 * MEGABYTE, ge=0)

    rate_limit: Annotated[str, AfterValidator(_rate)] | None = Field(
        default=None, description="Requests allowed to one address, such as `600/minute`; none: no limit."
    )
    rate_limit_storage: str = Field(
        default="async+memory://", description="Where several gateways count together: `async+redis://host:6379/0`."
    )

    @property
    def service_urls(self) -> dict[str, str]:
        """Where each service listens, by its name."""
        return {name: getattr(self, f"{name}_url") for name in SERVICES}

    @property
    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(part) for part in self.trusted_proxies.replace(",", " ").split())

    @model_validator(mode="after")
    def _networks_are_networks(self) -> Self:
        _ = self.trusted_networks
        return self
