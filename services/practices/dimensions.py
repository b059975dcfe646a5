"""What practices are filtered and counted by."""

from shared.filters import Dimension
from shared.reference import ENTITY_TYPES, OBJECTIVE_NUMBERS, PRINCIPLE_CODES, REGION_CODES, SDG_NUMBERS

FACETS = (
    Dimension("objective", "objectives", many=True, values=tuple(sorted(OBJECTIVE_NUMBERS))),
    Dimension("principle", "principles", many=True, values=PRINCIPLE_CODES),
    Dimension("sdg", "sdgs", many=True, values=tuple(sorted(SDG_NUMBERS))),
    Dimension("entity_type", "entity_types", many=True, values=tuple(ENTITY_TYPES)),
    Dimension("region", "regions", many=True, values=tuple(REGION_CODES)),
    Dimension("country", "countries", many=True),
    Dimension("language", "language", values=("en", "fr", "es")),
    Dimension("scope", "scope", values=("local", "national", "regional", "global")),
)
DIMENSIONS = (*FACETS, Dimension("call", "call"))
