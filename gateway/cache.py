"""Answers kept in memory: public ones only, bounded, dropped when the service behind them is written to."""

import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.exchange import Headers

LARGEST: Final = 256 * 1024
"""The longest body that is kept, in bytes."""

# What a key holds, or what has no part in an anonymous read.
_VARY_KNOWN: Final = frozenset((b"accept", b"accept-language", b"authorization"))
_OVERHEAD: Final = 1024

_DIRECTIVE: Final = re.compile(rb'([a-z-]+)(?:\s*=\s*"?([0-9]+)"?)?')
_TAG: Final = re.compile(rb'(?:W/)?("[^"]*")')


class Key(NamedTuple):
    """What an answer depends on: the service, path and query as they came, and what `Vary` may name."""

    service: str
    target: bytes
    accept: bytes
    language: str


class Lifetime(NamedTuple):
    """Seconds from the answer on: served as it is, served while a new one is fetched, served when none can be had."""

    fresh: int
    revalidate: int
    error: int


@lru_cache(maxsize=256)
def lifetime(cache_control: bytes) -> Lifetime | None:
    """What a Cache-Control field allows a shared cache; None where it allows nothing."""
    directives = dict(_DIRECTIVE.findall(cache_control.lower()))
    if b"public" not in directives or directives.keys() & {b"no-store", b"no-cache", b"private"}:
        return None
    fresh = int(directives.get(b"s-maxage") or directives.get(b"max-age") or 0)
    after = [int(directives.get(name) or 0) for name in (b"stale-while-revalidate", b"stale-if-error")]
    return Lifetime(fresh, fresh + after[0], fresh + max(after)) if fresh or any(after) else None


@lru_cache(maxsize=256)
def _vary_is_known(vary: bytes) -> bool:
    return all(name.strip() in _VARY_KNOWN for name in vary.lower().split(b",") if name.strip())


@dataclass(slots=True)
class Entry:
    """A 200 answer of a service; `at` is when it was fetched, by the monotonic clock, and `when` by the wall's."""

    headers: Headers
    body: bytes
    etag: bytes | None
    lifetime: Lifetime
    generation: int
    at: float = field(default_factory=time.monotonic)
    when: float = field(default_factory=time.time)
    held_until: float = 0.0
    bare: Headers = field(init=False)

    def __post_init__(self) -> None:
        # RFC 9110, section 15.4.5: a 304 has no fields of the content that it does not send.
        self.bare = [pair for pair in self.headers if pair[0] not in (b"content-length", b"content-type")]

    def renewed(self, headers: Headers, generation: int) -> "Entry":
        """This answer, confirmed by a 304 just now."""
        updated = dict(self.headers) | dict(headers)
        kept = lifetime(updated.get(b"cache-control", b"")) or self.lifetime
        return Entry(list(updated.items()), self.body, self.etag, kept, generation)

    def matches(self, if_none_match: bytes) -> bool:
        """Whether an If-None-Match field names this answer, by the weak comparison."""
        if self.etag is None:
            return False
        return if_none_match.strip() == b"*" or _TAG.sub(rb"\1", self.etag) in _TAG.findall(if_none_match)


def entry(status: int, headers: Headers, body: bytes, generation: int) -> Entry | None:
    """The answer as it is kept, or None where it may not be."""
    fields = dict(headers)
    kept = lifetime(fields.get(b"cache-control", b""))
    if status != 200 or kept is None or b"set-cookie" in fields or len(body) > LARGEST:
        return None
    # Two Vary fields would show here as their last one only.
    if not all(_vary_is_known(value) for name, value in headers if name == b"vary"):
        return None
    return Entry([pair for pair in headers if pair[0] != b"age"], body, fields.get(b"etag"), kept, generation)


def _size(key: Key, value: Entry) -> int:
    # A caller chooses how long a target is.
    return len(key.target) + len(key.accept) + len(value.body) + _OVERHEAD


class Cache:
    """Entries by key, the least lately used leaving first; at most `limit` bytes.

    A generation is counted for each service: what belongs to an earlier one is not found, so that dropping all
    answers of a service costs one addition, and an answer on its way during a write is never kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._generations: dict[str, int] = {}
        self.size = 0

    def generation(self, service: str) -> int:
        return self._generations.get(service, 0)

    def drop(self, service: str) -> None:
        """Forget every answer of a service."""
        self._generations[service] = self.generation(service) + 1

    def get(self, key: Key) -> Entry | None:
        found = self._entries.get(key)
        if found is None or found.generation != self._generations.get(key.service, 0):
            return None
        self._entries.move_to_end(key)
        return found

    def put(self, key: Key, value: Entry) -> None:
        """Keep an answer, unless its service was written to since it was asked for."""
        if value.generation != self.generation(key.service):
            return
        self._remove(key)
        self._entries[key] = value
        self.size += _size(key, value)
        while self.size > self._limit:
            self._remove(next(iter(self._entries)))

    def _remove(self, key: Key) -> None:
        removed = self._entries.pop(key, None)
        if removed is not None:
            self.size -= _size(key, removed)

    def __len__(self) -> int:
        return len(self._entries)
