"""Counts by a dimension, as summaries answer them."""

from pydantic import Field

from shared.reference import CountryCode, EntityTypeCode, ObjectiveNumber, PrincipleCode, RegionCode, SdgNumber
from shared.schemas import Model


class ByObjective(Model):
    objective: ObjectiveNumber
    count: int


class ByPrinciple(Model):
    principle: PrincipleCode
    count: int


class BySdg(Model):
    sdg: SdgNumber
    count: int


class ByEntityType(Model):
    entity_type: EntityTypeCode
    count: int


class ByCountry(Model):
    country: CountryCode
    count: int


class ByRegion(Model):
    region: RegionCode
    count: int


class ByMonth(Model):
    month: str = Field(description="Month of first publication, `2026-11`.", pattern=r"^[0-9]{4}-[0-9]{2}$")
    count: int
    cumulative: int
