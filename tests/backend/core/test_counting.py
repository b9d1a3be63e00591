from backend.core.counting import amount


def test_one_is_no_plural() -> None:
    assert [amount(number, "task") for number in (0, 1, 2, 2_000)] == [
        "0 tasks",
        "1 task",
        "2 tasks",
        "2,000 tasks",
    ]
    assert amount(1, "row is", "rows are") == "1 row is"
    assert amount(3, "row is", "rows are") == "3 rows are"
