"""The reference lists: complete, consistent with one another, and answered in the caller's language."""

import json
from collections import Counter
from itertools import chain
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared import reference
from shared.languages import LANGUAGES, Language
from shared.reference_schemas import LIST_MODELS

ALL_OBJECTIVES = list(range(1, 24))
PRINCIPLES = (
    "people_centred",
    "international_cooperation",
    "national_sovereignty",
    "rule_of_law",
    "sustainable_development",
    "human_rights",
    "gender_responsive",
    "child_sensitive",
    "whole_of_government",
    "whole_of_society",
)


def test_objectives_are_numbered_and_labelled_in_three_languages() -> None:
    assert [o.number for o in reference.objectives()] == ALL_OBJECTIVES
    assert all(o.label.fr and o.label.es for o in reference.objectives())
    assert len({o.title.en for o in reference.objectives()}) == 23


def test_principles_stand_in_the_compacts_order() -> None:
    assert reference.PRINCIPLE_CODES == PRINCIPLES
    assert [p.position for p in reference.principles()] == list(range(1, 11))


@pytest.mark.parametrize("groups", [reference.thematic_areas(), reference.round_tables()])
def test_thematic_areas_and_round_tables_each_hold_every_objective_once(
    groups: tuple[reference.ThematicArea | reference.RoundTable, ...],
) -> None:
    assert sorted(chain.from_iterable(group.objectives for group in groups)) == ALL_OBJECTIVES
    assert [group.number for group in groups] == list(range(1, len(groups) + 1))
    assert all(group.objectives for group in groups)


def test_the_groups_are_those_of_the_fund_and_of_the_forum() -> None:
    assert [area.objectives for area in reference.thematic_areas()] == [
        (1, 3, 17, 23),
        (2, 7, 8, 12, 13),
        (4, 9, 10, 11, 21),
        (5, 6, 18, 19, 20),
        (14, 15, 16, 22),
    ]
    assert [table.objectives for table in reference.round_tables()] == [
        (2, 5, 6, 12, 18),
        (4, 8, 9, 10, 11, 13, 21),
        (14, 15, 16, 19, 20, 22),
        (1, 3, 7, 17, 23),
    ]
    assert reference.thematic_area_of(6) == 4
    with pytest.raises(KeyError):
        reference.thematic_area_of(24)


def test_goals_are_numbered() -> None:
    assert [goal.number for goal in reference.sdgs()] == list(range(1, 18))


def test_the_network_has_39_members_with_names_that_find_them() -> None:
    members = reference.members()
    assert len(members) == 39
    assert {m.acronym for m in members if m.executive_committee} == {
        "DESA", "ILO", "IOM", "OHCHR", "UNDP", "UNHCR", "UNICEF", "UNODC", "WHO",
    }  # fmt: skip
    assert [m.acronym for m in members if m.coordinator] == ["IOM"]
    assert [m.acronym for m in members if m.secretariat] == ["IOM"]
    names = Counter(chain.from_iterable({n.casefold() for n in (m.acronym, m.slug, *m.aliases)} for m in members))
    assert max(names.values()) == 1
    for name in ("UNDESA", "desa", "un-desa", " Undesa "):
        assert reference.member_by(name) == members[1]
    assert reference.member_by("UCLG") is None


def test_the_misprint_is_kept_beside_the_name() -> None:
    unesco = reference.member_by("UNESCO")
    assert unesco is not None
    assert unesco.name.en == "United Nations Educational, Scientific and Cultural Organization"
    assert unesco.name_as_printed == "United Nations Economic, Social and Cultural Organization"
    assert unesco.note


def test_countries_are_listed_once_with_names_in_three_languages() -> None:
    countries = reference.countries()
    codes = [c.iso3 for c in countries]
    assert codes == sorted(set(codes))
    assert len({c.m49 for c in countries}) == len(countries) == 248
    assert all(len(c.iso3) == 3 and c.iso3.isupper() for c in countries)
    assert all(len(c.m49) == 3 and c.m49.isdigit() for c in countries)
    assert all(c.name.fr and c.name.es for c in countries)


@pytest.mark.parametrize(
    ("iso3", "en", "fr", "es"),
    [
        ("TUR", "Türkiye", "Türkiye", "Türkiye"),
        ("NLD", "Netherlands (Kingdom of the)", "Pays-Bas (Royaume des)", "Países Bajos (Reino de los)"),
        ("PSE", "State of Palestine", "État de Palestine", "Estado de Palestina"),
        ("CZE", "Czechia", "Tchéquie", "Chequia"),
        ("CIV", "Côte d’Ivoire", "Côte d’Ivoire", "Côte d’Ivoire"),
        ("VNM", "Viet Nam", "Viet Nam", "Viet Nam"),
        (
            "BOL",
            "Bolivia (Plurinational State of)",
            "Bolivie (État plurinational de)",
            "Bolivia (Estado Plurinacional de)",
        ),
    ],
)
def test_names_are_those_of_the_united_nations(iso3: str, en: str, fr: str, es: str) -> None:
    (country,) = (c for c in reference.countries() if c.iso3 == iso3)
    assert country.name == reference.Text(en, fr, es)


def test_every_country_lies_in_one_region_of_m49_but_antarctica() -> None:
    m49 = {r.code for r in reference.regions() if r.kind == "m49"}
    assert m49 == {"002", "019", "142", "150", "009"}
    assert [c.iso3 for c in reference.countries() if c.region not in m49] == ["ATA"]
    assert reference.regions_of("ATA") == ()
    for country in reference.countries():
        assert len(m49 & set(reference.regions_of(country.iso3))) == (country.iso3 != "ATA")


def test_regions_and_countries_name_each_other() -> None:
    for code in reference.REGION_CODES:
        members = reference.countries_of(code)
        assert list(members) == sorted(set(members))
        assert members == tuple(sorted(c for c in reference.COUNTRY_CODES if code in reference.regions_of(c)))
    with pytest.raises(KeyError):
        reference.countries_of("xxx")
    with pytest.raises(KeyError):
        reference.regions_of("XXX")


def test_review_regions_follow_the_commissions_by_geography() -> None:
    sizes = {code: len(reference.countries_of(code)) for code in ("eca", "escwa", "escap", "ece", "eclac")}
    assert sizes == {"eca": 54, "escwa": 21, "escap": 58, "ece": 56, "eclac": 47}
    assert reference.regions_of("MAR") == ("002", "eca", "escwa")
    assert reference.regions_of("KAZ") == ("142", "escap", "ece")
    assert reference.regions_of("KEN") == ("002", "eca")
    # Members of other commissions from outside their regions count in their own region only.
    assert reference.regions_of("FRA") == ("150", "ece")
    assert reference.regions_of("USA") == ("019", "ece")
    assert reference.regions_of("JPN") == ("142", "escap")


def test_champion_countries_are_a_partial_list_and_say_so() -> None:
    champions = reference.champion_countries()
    assert len({c.iso3 for c in champions}) == len(champions) == 31
    assert {c.iso3 for c in champions} <= reference.COUNTRY_CODES
    assert {c.iso3 for c in champions if not c.confirmed} == {"BGD", "LKA"}
    answer = reference.answer("champion-countries", "en")
    assert (answer["complete"], answer["stated_total"], answer["stated_total_as_of"]) == (False, 33, "2023-04")


def test_entity_types_are_the_sixteen_of_the_contract() -> None:
    assert len(reference.ENTITY_TYPES) == len(set(reference.ENTITY_TYPES)) == 16
    assert reference.ENTITY_TYPES[0] == "member_state"
    assert reference.ENTITY_TYPES[-1] == "other"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", reference.LIST_NAMES)
def test_every_list_answers_as_its_model_says(name: str, language: Language) -> None:
    answer = reference.answer(name, language)
    assert list(answer)[:4] == ["items", "source", "as_of", "note"]
    model: BaseModel = LIST_MODELS[name].model_validate(answer)
    assert json.loads(model.model_dump_json()) == answer
    assert answer["items"] == reference.listing(name, language)


def test_models_have_a_list_each_and_no_optional_field() -> None:
    assert set(LIST_MODELS) == set(reference.LIST_NAMES)
    for model in LIST_MODELS.values():
        schema = model.model_json_schema()
        for part in (schema, *schema["$defs"].values()):
            assert set(part["required"]) == set(part["properties"])


def test_a_text_without_a_recorded_translation_is_english_and_marked() -> None:
    (row, *_) = reference.listing("objectives", "es")
    assert (row["label"], row["label_language"]) == ("Datos", "es")
    (area, *_) = reference.listing("thematic-areas", "fr")
    assert area["label"].startswith("Promoting fact-based")
    assert area["label_language"] == "en"
    with pytest.raises(KeyError):
        reference.listing("cities", "en")


@pytest.mark.parametrize("name", ["countries", "regions"])
def test_designations_come_with_the_note_that_they_imply_no_endorsement(name: str) -> None:
    note = reference.answer(name, "en")["note"]
    assert "endorsement" in note
    assert "United Nations" in note


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (reference.CountryCode, "KEN", "ken"),
        (reference.CountryCode, "PSE", "XXX"),
        (reference.RegionCode, "escwa", "003"),
        (reference.PrincipleCode, "rule_of_law", "360_degree"),
        (reference.EntityTypeCode, "youth", "person"),
        (reference.ObjectiveNumber, 23, 24),
        (reference.SdgNumber, 17, 0),
    ],
)
def test_types_for_schemas_take_the_lists_values_only(kind: Any, good: object, bad: object) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    assert adapter.validate_python(good) == good
    with pytest.raises(ValidationError):
        adapter.validate_python(bad)
