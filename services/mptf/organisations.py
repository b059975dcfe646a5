"""Organisations by the names people write: members of the Network by acronym, alias or slug, others as they stand."""

from shared.reference import member_by


def canonical(name: str) -> str:
    """A member's acronym (`UNDESA` gives `DESA`), any other name as it is."""
    member = member_by(name)
    return member.acronym if member else name.strip()


def slug_of(name: str) -> str:
    """What an organisation's entity is called in tokens, without its prefix where it is no member."""
    member = member_by(name)
    return member.slug if member else "-".join(name.casefold().split())


def slug_of_entity(entity: str) -> str:
    """The same for the entity in a token: `un-undrr` and `org-undrr` both speak for UNDRR."""
    member = member_by(entity)
    prefix, _, rest = entity.partition("-")
    return member.slug if member else rest if prefix in ("un", "org") and rest else entity


def same(organisation: str, other: str) -> bool:
    """Whether two names are one organisation's."""
    return slug_of(organisation) == slug_of(other)
