"""What the gateway says and keeps of each exchange: its ids, its caller's address, the fields that may travel on."""

import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, NamedTuple

from starlette.types import Scope

Headers = list[tuple[bytes, bytes]]
Networks = tuple[IPv4Network | IPv6Network, ...]

# RFC 9110, section 7.6.1, and what was used before it: for one connection, never for the next.
HOP_BY_HOP: Final = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
# Set anew by the gateway or for each connection. Cookies: no service reads one.
_NOT_FORWARDED: Final = HOP_BY_HOP | {
    b"host",
    b"expect",
    b"cookie",
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-prefix",
    b"x-forwarded-proto",
    b"x-real-ip",
    b"x-request-id",
    b"traceparent",
}
# The server in front of the gateway writes its own date; what runs behind it is nobody's concern.
_NOT_ANSWERED: Final = HOP_BY_HOP | {b"date", b"server", b"x-request-id", b"traceparent"}

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT: Final = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Exchange(NamedTuple):
    """One request's ids and its caller: `client` an IP address or "", `scheme` http or https."""

    request_id: bytes
    traceparent: bytes
    client: str
    scheme: str

    @property
    def answered(self) -> Headers:
        """The fields that every answer carries."""
        return [(b"x-request-id", self.request_id), (b"traceparent", self.traceparent)]

    @property
    def forwarded(self) -> Headers:
        """The fields that tell a service of whom and of which exchange a request is part."""
        return [
            (b"x-request-id", self.request_id),
            (b"traceparent", self.traceparent),
            (b"x-forwarded-for", self.client.encode()),
            (b"x-forwarded-proto", self.scheme.encode()),
        ]


def exchange(scope: Scope, headers: dict[bytes, bytes], trusted: Networks) -> Exchange:
    """The exchange of an ASGI request: its own ids where they are fit to be passed on, else new ones."""
    request_id = headers.get(b"x-request-id")
    traceparent = headers.get(b"traceparent")
    if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
        request_id = None
    if traceparent is not None and not _TRACEPARENT.fullmatch(traceparent):
        traceparent = None
    if request_id is None or traceparent is None:
        made = os.urandom(24).hex().encode()
        request_id = request_id or made[:32]
        traceparent = traceparent or b"00-%b-%b-01" % (made[:32], made[32:])
    peer: str = scope["client"][0] if scope.get("client") else ""
    client, scheme = peer, scope["scheme"]
    if trusted and _is_within(peer, trusted):
        client = client_of(peer, headers.get(b"x-forwarded-for", b""), trusted)
        scheme = "https" if headers.get(b"x-forwarded-proto") == b"https" else scheme
    return Exchange(request_id, traceparent, client, scheme)


@lru_cache(maxsize=4096)
def _is_within(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(mapped in network for network in networks)


@lru_cache(maxsize=4096)
def client_of(peer: str, forwarded_for: bytes, trusted: Networks) -> str:
    """The address nearest to us that no trusted proxy vouches for: X-Forwarded-For is read from its end."""
    client = peer
    for part in reversed(forwarded_for.decode("latin-1").split(",")):
        if not _is_within(client, trusted):
            break
        try:
            client = str(ip_address(part.strip()))
        except ValueError:
            break
    return client


def _named_by_connection(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    values = [value for name, value in headers if name == b"connection"]
    return frozenset(token.strip().lower() for value in values for token in value.split(b","))


def _without(headers: Sequence[tuple[bytes, bytes]], dropped: frozenset[bytes]) -> Headers:
    dropped = dropped | _named_by_connection(headers) if any(n == b"connection" for n, _ in headers) else dropped
    return [field for field in headers if field[0] not in dropped]


def for_service(headers: Sequence[tuple[bytes, bytes]], of: Exchange) -> Headers:
    """The request's fields as a service gets them; names are in lower case."""
    return _without(headers, _NOT_FORWARDED) + of.forwarded


def for_caller(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """A service's answer's fields as the caller gets them, without those of `Exchange.answered`."""
    return _without(headers, _NOT_ANSWERED)
