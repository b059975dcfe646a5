"""Demonstration practices: marked as samples, nobody's real work, for development alone."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.practices import service
from services.practices.models import Call, Practice, Reviewer
from services.practices.published import refresh
from shared import clock, records
from shared.auth import Caller

LOADER = Caller(sub="seed", name="Demonstration data", roles=frozenset({"secretariat"}))

# (title, summary) by language, objectives, countries, organisation
PRACTICES: tuple[tuple[str, dict[str, tuple[str, str]], list[int], list[str], str], ...] = (
    (
        "en",
        {
            "en": (
                "A help desk for newcomers in the town hall",
                "One desk for questions of work, school, papers.",
            ),
            "fr": (
                "Un guichet pour les nouveaux arrivants à la mairie",
                "Un seul guichet répond aux questions de travail, d'école et de papiers.",
            ),
        },
        [15, 16],
        ["KEN"],
        "Sample Town Council",
    ),
    (
        "fr",
        {
            "fr": (
                "Des contrats de travail lus à voix haute avant le départ",
                "Des bénévoles lisent et expliquent les contrats aux travailleurs recrutés à l'étranger.",
            ),
            "en": (
                "Work contracts read aloud before departure",
                "Volunteers read and explain contracts to workers recruited abroad.",
            ),
        },
        [6],
        ["SEN"],
        "Association d'exemple",
    ),
    (
        "es",
        {
            "es": (
                "Brigadas médicas en los puntos de tránsito",
                "Equipos móviles atienden a personas migrantes en tránsito y las orientan hacia los servicios.",
            )
        },
        [7, 15],
        ["GTM"],
        "Organización de ejemplo",
    ),
    (
        "en",
        {"en": ("Remittance fees compared on one page", "A public page compares what sending money home costs.")},
        [20],
        ["PHL"],
        "Sample Consumer Association",
    ),
)

ROSTER = (
    ("sample-reviewer-1", "Sample Reviewer One", "internal", "un-sample", "KEN", ["en", "fr"], [6, 15, 16]),
    ("sample-reviewer-2", "Sample Reviewer Two", "external", "org-sample-2", "SEN", ["fr", "en"], [6, 7]),
    ("sample-reviewer-3", "Sample Reviewer Three", "external", "org-sample-3", "GTM", ["es", "en"], [7, 15, 20]),
)


async def load(session: AsyncSession) -> int:
    """Enter the demonstration records unless they stand; how many practices there were to enter."""
    if await session.scalar(select(func.count()).select_from(Practice).where(Practice.sample)):
        return 0
    call = Call(
        created_by=LOADER.sub,
        deadline=clock.today() + timedelta(days=90),
        sample=True,
        content={
            "title": "[Sample] Services for newcomers",
            "text": "A call to try the form with.",
            "objectives": [15, 16],
        },
    )
    session.add(call)
    for subject, name, kind, entity, country, languages, objectives in ROSTER:
        session.add(
            Reviewer(
                subject=subject,
                name=name,
                email=f"{subject}@example.org",
                kind=kind,
                organisation=None,
                entity=entity,
                country=country,
                languages=languages,
                objectives=objectives,
                sample=True,
            )
        )
    await session.flush()
    for number, (language, texts, objectives, countries, organisation) in enumerate(PRACTICES):
        content = _content(language, texts, objectives, countries, organisation)
        if 15 in objectives:
            content["call"] = str(call.id)
        await _enter(session, content, published=number < len(PRACTICES) - 1)
    return len(PRACTICES)


def _content(
    language: str, texts: dict[str, tuple[str, str]], objectives: list[int], countries: list[str], organisation: str
) -> dict[str, Any]:
    title, summary = texts[language]
    return {
        "title": f"[Sample] {title}",
        "language": language,
        "summary": summary,
        "description": summary,
        "translations": {
            other: {"title": f"[Sample] {said[0]}", "summary": said[1], "description": said[1]}
            for other, said in texts.items()
            if other != language
        },
        "organisations": [{"name": organisation, "type": "civil_society"}],
        "countries": countries,
        "scope": "local",
        "primary_objectives": objectives,
        "principles": ["people_centred"],
        "sdgs": [10],
        "starts_on": "2022",
        "ongoing": True,
        "contact": {"name": "Sample Contact", "email": "contact@example.org"},
    }


async def _enter(session: AsyncSession, content: dict[str, Any], *, published: bool) -> None:
    practice = await service.enter(session, content, "org-sample", LOADER, sample=True)
    session.add(records.note(practice, LOADER, "create", left=None))
    if published:
        practice.status = "published"
        service.publish(session, practice, True, sorted(content["translations"]))
        await session.flush()
        await refresh(session, practice)
    await session.flush()
