"""Calls for practices as they are written and read."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.lists import Paging
from shared.reference import ObjectiveNumber
from shared.schemas import Day, Model, Unique, left_alone

Objectives = Annotated[list[ObjectiveNumber], Unique(), Field(max_length=23)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(max_length=10000), Field(description="Markdown.")]


class NewPracticeCall(Model):
    """A call for practices."""

    title: Title
    text: Prose | None = Field(default=None, description="What is asked for, from whom, by which criteria.")
    objectives: Objectives = []
    deadline: Day = Field(description="The last day (UTC) on which a practice may be submitted to it.")


class PracticeCallChanges(Model):
    """What changes of a call."""

    title: Title = left_alone()
    text: Prose | None = None
    objectives: Objectives = left_alone()
    deadline: Day = left_alone()


class PracticeCall(NewPracticeCall):
    """A call for practices."""

    id: UUID
    html: str | None = Field(description="`text` as clean HTML.")
    open: bool = Field(description="Whether practices may still be submitted to it.")
    created_at: datetime
    sample: bool = Field(description="True for a demonstration record.")


class PracticeCallList(Paging):
    """Parameters of the list."""

    open: bool | None = Field(default=None, description="Only those that are open, or only those that are not.")
    objective: list[ObjectiveNumber] = []
