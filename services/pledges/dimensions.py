"""What pledges are filtered and counted by: one table for lists, summary and export."""

from shared.filters import Dimension
from shared.reference import ENTITY_TYPES, OBJECTIVE_NUMBERS, PRINCIPLE_CODES, REGION_CODES

DIMENSIONS = (
    Dimension("objective", "objectives", many=True, values=tuple(sorted(OBJECTIVE_NUMBERS))),
    Dimension("principle", "principles", many=True, values=PRINCIPLE_CODES),
    Dimension("form", "forms", many=True, values=("financial", "human_resource", "process", "policy")),
    Dimension("approach", "approach", values=("individual", "common", "partnership", "matching")),
    Dimension("entity_type", "entity_type", values=tuple(ENTITY_TYPES)),
    Dimension("region", "regions", many=True, values=tuple(REGION_CODES)),
    Dimension("country", "countries", many=True),
    Dimension(
        "implementation_status",
        "implementation_status",
        values=("planned", "in_progress", "fulfilled", "discontinued"),
    ),
    Dimension("language", "language"),
    Dimension("scope", "scope", values=("local", "national", "regional", "global")),
)
FACETS = DIMENSIONS[:8]
