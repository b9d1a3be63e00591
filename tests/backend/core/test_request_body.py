from typing import Any

import pytest
from pydantic import Field, ValidationError

from backend.core.request_body import DEEPEST, Flag, RequestBody, RowNumber


class Order(RequestBody):
    number: RowNumber
    is_urgent: bool = False
    share: float = 0.0
    lines: list[Any] = Field(default_factory=list)


class Form(RequestBody):
    is_urgent: Flag


def test_what_a_schema_allows_is_taken() -> None:
    order = Order.model_validate({"number": 3.0, "is_urgent": True, "share": 1})
    assert (order.number, order.share) == (3, 1.0)
    assert isinstance(order.number, int)


@pytest.mark.parametrize(
    "body",
    [
        {"number": "3"},
        {"number": True},
        {"number": 3.5},
        {"number": -1},
        {"number": 2**53},
        {"number": 3, "is_urgent": 1},
        {"number": 3, "is_urgent": "true"},
        {"number": 3, "share": "0.5"},
        {"number": 3, "urgent": True},
    ],
)
def test_what_a_schema_forbids_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Order.model_validate(body)


def test_a_form_may_say_everything_in_words() -> None:
    assert Order.model_validate({"number": "3", "is_urgent": "true"}, strict=False).is_urgent
    assert Form.model_validate({"is_urgent": "true"}, strict=False).is_urgent
    with pytest.raises(ValidationError, match="true or false"):
        Form.model_validate({"is_urgent": "yes"}, strict=False)


def test_nesting_ends_somewhere() -> None:
    def body(depth: int) -> dict[str, Any]:
        lines: list[Any] = Field(default_factory=list)
        for _ in range(depth):
            lines = [lines]
        return {"number": 1, "lines": lines}

    Order.model_validate(body(DEEPEST - 2))
    with pytest.raises(ValidationError, match="nested more than"):
        Order.model_validate(body(DEEPEST))
