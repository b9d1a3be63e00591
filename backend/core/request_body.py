"""What programs send: checked as strictly as the OpenAPI document says."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

LARGEST_NUMBER = 2**53 - 1
"""The largest whole number that every reader of JSON keeps as it is (RFC 8259, 6)."""
DEEPEST = 50
"""Lists and objects within each other. Chosen: a label schema has five."""
LARGEST_OFFSET = 2**31 - 1
"""What PostgreSQL takes as the place of a page."""


class RequestBody(BaseModel):
    """A body of which nothing is ignored or converted: an unknown name and a value of another type
    are refused. What forms send, texts throughout, is read with ``strict=False``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def take_whole_numbers(cls, body: Any) -> Any:
        """1.0 is a whole number in JSON."""
        return _with_whole_numbers(body, DEEPEST)


def _with_whole_numbers(value: Any, deepest: int) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | dict) and deepest == 0:
        raise ValueError(f"lists and objects are nested more than {DEEPEST} deep")
    if isinstance(value, list):
        return [_with_whole_numbers(each, deepest - 1) for each in value]
    if isinstance(value, dict):
        return {name: _with_whole_numbers(each, deepest - 1) for name, each in value.items()}
    return value


def _refuse_other_spellings(value: object) -> object:
    if isinstance(value, str) and value not in {"true", "false"}:
        raise ValueError("write true or false")
    return value


RowNumber = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
"""An id, or the number of a version."""
Flag = Annotated[bool, BeforeValidator(_refuse_other_spellings)]
"""True or false in a form, as JSON spells them."""
