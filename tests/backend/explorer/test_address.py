"""One choice, one address: whatever way it is written."""

import pytest

from backend.explorer.address import Address

SAID = "text=mug+blue&grade=poor&grade=fair&confidence_from=0.5&disagreement=true&sort=-doubt"


def test_the_same_choice_has_the_same_address() -> None:
    address = Address.of_query(SAID)
    assert address.query == SAID
    shuffled = Address.of_query(
        "sort=-doubt&disagreement=True&offset=50&nonsense=1&grade=poor&grade=fair&grade=poor"
        "&text=mug+blue&confidence_from=.50&risk_to=1&source="
    )
    assert shuffled.query == SAID
    assert shuffled.offset == 50
    assert shuffled.wanted.model_dump() == address.wanted.model_dump()


def test_what_is_as_by_default_is_not_in_it() -> None:
    address = Address.of_query("sort=risk&confidence_from=0&confidence_to=1&text=&offset=-3")
    assert (address.query, address.offset, address.is_filtered) == ("", 0, False)


def test_values_go_on_and_off() -> None:
    address = Address.of_query("grade=poor&grade=fair")
    assert address.toggle("grade", "poor") == "grade=fair"
    assert address.toggle("grade", "good") == "grade=poor&grade=fair&grade=good"
    assert address.with_pairs([("risk_from", "0.9")], instead_of=["grade"]) == "risk_from=0.9"
    assert address.filter_without("grade").grade == []
    assert address.wanted.grade == ["poor", "fair"]


def test_a_condition_on_a_column_is_added_to_those_that_are_there() -> None:
    given = [("where", "brand=Acme"), ("field", "price"), ("operator", ">="), ("value", "5")]
    assert Address.read(given).wanted.where == ["brand=Acme", "price>=5"]
    assert Address.read([("field", "price")]).wanted.where == ["price="], "missing"


@pytest.mark.parametrize(
    ("query", "field"),
    [("risk_from=7", "risk_from"), ("source=x", "source"), ("import_id=a", "import_id")],
)
def test_what_cannot_be_is_named_and_stays(query: str, field: str) -> None:
    address = Address.of_query(f"grade=poor&{query}")
    assert address.error is not None
    assert address.error.field == field
    assert address.query == f"grade=poor&{query}"
    assert address.wanted.grade == [], "nothing is shown for it"
