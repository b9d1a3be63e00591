from backend.core.counting import counted


def test_one_is_no_plural() -> None:
    assert [counted(number, "task") for number in (0, 1, 2, 2_000)] == [
        "0 tasks",
        "1 task",
        "2 tasks",
        "2,000 tasks",
    ]
    assert counted(1, "row is", "rows are") == "1 row is"
    assert counted(3, "row is", "rows are") == "3 rows are"
