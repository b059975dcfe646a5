"""What people type into cells, as the values of a pledge: codes by their names in three languages, dates, amounts."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from shared import reference

FORM = Path(__file__).parents[1] / "data" / "form.json"
LANGUAGES = {
    "en": ("english", "anglais", "ingles"),
    "fr": ("french", "francais", "frances"),
    "es": ("spanish", "espagnol", "espanol", "castellano"),
    "ar": ("arabic", "arabe", "العربية"),
    "ru": ("russian", "russe", "ruso", "русскии"),
    "zh": ("chinese", "chinois", "chino", "中文"),
    "pt": ("portuguese", "portugais", "portugues"),
}
STATUSES = {"draft": ("draft", "brouillon", "borrador"), "published": ("published", "publie", "publicado", "publicada")}
MONTHS = (
    ("january", "jan", "janvier", "janv", "enero", "ene"),
    ("february", "feb", "fevrier", "fevr", "febrero"),
    ("march", "mar", "mars", "marzo"),
    ("april", "apr", "avril", "avr", "abril", "abr"),
    ("may", "mai", "mayo"),
    ("june", "jun", "juin", "junio"),
    ("july", "jul", "juillet", "juil", "julio"),
    ("august", "aug", "aout", "agosto", "ago"),
    ("september", "sep", "sept", "septembre", "septiembre", "setiembre"),
    ("october", "oct", "octobre", "octubre"),
    ("november", "nov", "novembre", "noviembre"),
    ("december", "dec", "decembre", "diciembre", "dic"),
)
# Day 1 of spreadsheets, moved by the day of 1900 that never was.
SERIAL_ZERO = date(1899, 12, 30)


def plain(text: str) -> str:
    """Text to compare by: no accents, no case, letters and digits of any script alone."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", bare.replace("_", " ")))


def words(cell: Any) -> str:
    """A cell as text; the apostrophe that exports put before what would compute is taken off."""
    match cell:
        case None:
            return ""
        case {"date": day}:
            return str(day)
        case bool():
            return "true" if cell else "false"
    text = unicodedata.normalize("NFC", str(cell)).strip()
    return text[1:] if re.match(r"'[=+\-@\t]", text) else text


# ---------------------------------------------------------------- codes


def _names(rows: Iterable[tuple[Any, Iterable[str | None]]]) -> dict[str, Any]:
    return {plain(name): code for code, names in rows for name in (str(code), *names) if name}


def _texts(text: reference.Text) -> tuple[str | None, ...]:
    return (text.en, text.fr, text.es)


@cache
def names(kind: str) -> dict[str, Any]:
    """The codes of a kind by each name they go by."""
    match kind:
        case "country" | "countries":
            return _names((country.iso3, _texts(country.name)) for country in reference.countries())
        case "entity_type":
            return _names((entity.code, _texts(entity.label)) for entity in reference.entity_types())
        case "principles":
            return _names((principle.code, _texts(principle.label)) for principle in reference.principles())
        case "objectives":
            return _names((o.number, (*_texts(o.label), *_texts(o.title))) for o in reference.objectives())
        case "status":
            return _names(STATUSES.items())
    options = json.loads(FORM.read_text("utf-8"))["fields"][kind]["options"]
    return _names((code, labels.values()) for code, labels in options.items())


def _code(kind: str, text: str) -> Any:
    found = names(kind).get(plain(text))
    if found is None:
        raise ValueError(f"“{text[:80]}” is none of the names or codes of the list.")
    return found


def _objective(text: str) -> int:
    number = re.fullmatch(r"(?:\D{0,12}\s)?0*([0-9]{1,2})(?:\.0)?", text)
    if number and int(number[1]) in reference.OBJECTIVE_NUMBERS:
        return int(number[1])
    found: int = _code("objectives", text)
    return found


def _each(text: str, one: Callable[[str], Any]) -> list[Any]:
    """The parts of a cell: cut by semicolons, bars and lines, and by commas where a part is no name as it stands."""
    found: list[Any] = []
    for part in filter(None, map(str.strip, re.split(r"[;|\n]", text))):
        try:
            found.append(one(part))
        except ValueError:
            pieces = [piece.strip() for piece in part.split(",") if piece.strip()]
            if len(pieces) < 2:
                raise
            found += map(one, pieces)
    return list(dict.fromkeys(found))


def _language(text: str) -> str:
    wanted = plain(text)
    return next((tag for tag, known in LANGUAGES.items() if wanted in known), text)


def _participants(text: str) -> list[dict[str, str]]:
    return [{"name": name.strip()} for name in re.split(r"[;|\n]", text) if name.strip()]


# ---------------------------------------------------------------- dates and numbers

_DAY_FIRST = re.compile(r"([0-9]{1,2})[./\- ]([0-9]{1,2})[./\- ]([0-9]{4})")
_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})(?:[-/.]([0-9]{1,2})(?:[T ].*)?)?")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[./\-]([0-9]{4})")
_WORDS = re.compile(
    r"(?:([0-9]{1,2})(?:st|nd|rd|th|er|o|º)? )?(?:de |of )?([a-z]+)(?: del?)? ?(?:([0-9]{1,2}) )?([0-9]{4})"
)


def known_date(text: str) -> str:
    """A date as far as it is known, from how people write it; the day comes before the month."""
    if re.fullmatch(r"[0-9]{4}(\.0)?", text):
        return text[:4]
    if re.fullmatch(r"[0-9]{5}(\.0+)?", text):
        return (SERIAL_ZERO + timedelta(days=int(text[:5]))).isoformat()
    year: int | str
    if match := _ISO.fullmatch(text):
        return _joined(match[1], match[2], match[3])
    if match := _MONTH_YEAR.fullmatch(text):
        return _joined(match[2], match[1], None)
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year = match.groups()
        # 12/31/2024 can be read in one way only.
        return _joined(year, day, month) if int(month) > 12 >= int(day) else _joined(year, month, day)
    if match := _WORDS.fullmatch(plain(text)):
        number = next((n for n, known in enumerate(MONTHS, 1) if match[2] in known), 0)
        if number:
            return _joined(match[4], str(number), match[1] or match[3])
    raise ValueError(f"“{text[:80]}” is no date that can be read: write 2024, 2024-06 or 2024-06-01.")


def _joined(year: str, month: str, day: str | None) -> str:
    try:
        found = date(int(year), int(month), int(day or 1))
    except ValueError:
        raise ValueError("There is no such day in the calendar.") from None
    return found.isoformat() if day else found.isoformat()[:7]


def _day(text: str) -> str:
    found = known_date(text)
    if len(found) < 10:
        raise ValueError("A day is needed, such as 2024-06-01.")
    return found


def number(text: str) -> str:
    """A decimal as a string, from 1 234,50 and 1,234.50 alike; what can be read in two ways is refused."""
    bare = re.sub(r"[\s\u00a0\u202f'’]", "", text)
    marks = re.sub(r"[^.,]", "", bare)
    if len(set(marks)) == 2:
        decimal = marks[-1]
        bare = bare.replace("," if decimal == "." else ".", "")
    elif len(marks) > 1:
        decimal, bare = ".", bare.replace(marks[0], "")
    else:
        decimal = marks or "."
        if re.fullmatch(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}", bare):
            raise ValueError(f"“{text[:40]}” can be read as thousands and as decimals: write 1234 or 1234.50.")
    if not re.fullmatch(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", written := bare.replace(decimal, ".")):
        raise ValueError(f"“{text[:40]}” is no number.")
    return written.removeprefix("+")


READERS: dict[str, Callable[[str], Any]] = {
    "line": lambda text: " ".join(text.split()),
    "text": lambda text: text,
    "words": lambda text: [part.strip() for part in re.split(r"[;|,\n]", text) if part.strip()],
    "date": known_date,
    "day": _day,
    "number": number,
    "currency": lambda text: text.upper(),
    "language": _language,
    "participants": _participants,
    "objectives": lambda text: _each(text, _objective),
    "status": lambda text: _code("status", text),
    "approach": lambda text: _code("approach", text),
    "scope": lambda text: _code("scope", text),
    "country": lambda text: _code("country", text),
    "entity_type": lambda text: _code("entity_type", text),
    "forms": lambda text: _each(text, lambda part: _code("forms", part)),
    "principles": lambda text: _each(text, lambda part: _code("principles", part)),
    "countries": lambda text: _each(text, lambda part: _code("countries", part)),
}


def read(kind: str, cell: Any) -> Any:
    """The value of a cell, None where it is empty. Raises ValueError with words for whoever typed it."""
    if isinstance(cell, dict) and "formula" in cell:
        raise ValueError("A formula: give the value it stands for.")
    # A number's own point is a decimal's, whatever the reader's country.
    if kind == "number" and isinstance(cell, int | float) and not isinstance(cell, bool):
        return format(Decimal(repr(cell)), "f")
    text = words(cell)
    return READERS[kind](text) if text else None
