"""The base of everything that a study holds: a frozen value that refuses settings that it does not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Value"]


class Value(BaseModel):
    """A frozen setting of a study."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
