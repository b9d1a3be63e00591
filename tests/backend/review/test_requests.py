"""Forms of the review desk as requests."""

from starlette.datastructures import FormData

from backend.review.requests import DecisionDraft, bulk_request


def test_why_somebody_decides_is_not_the_reason_that_is_filtered_by() -> None:
    for why in ("", "the supplier confirmed it"):
        form = FormData(
            [
                ("state", "open"),
                ("reason", "suspected_error"),
                ("action", "ambiguous"),
                ("why", why),
                ("case", "7:2"),
            ]
        )
        wanted = bulk_request(form)
        assert wanted.filter.reason == "suspected_error"
        assert wanted.reason == why
        assert wanted.case_versions == {7: 2}


def test_what_was_chosen_is_kept_even_where_it_is_wrong() -> None:
    form = FormData(
        [
            ("grade", "superb"),
            ("issues", "duplicate"),
            ("issues", "spam"),
            ("faulty_fields", "price"),
            ("corrected:price", "7"),
            ("reason", "typed"),
            ("assignee_id", "x"),
        ]
    )
    assert DecisionDraft.of(form) == DecisionDraft(
        "superb", ["duplicate", "spam"], ["price"], {"price": "7"}, "typed", "", "x"
    )
    assert DecisionDraft.of(FormData([])).grade is None
