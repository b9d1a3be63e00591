"""Evidence says in both languages what speaks against a value."""

import numpy as np
import pytest

from active_learning.field_errors import FieldErrorDetector
from tests.active_learning.field_errors.conftest import CITIES
from tests.fixtures.chinese import in_chinese

GOOD = {"city": "birmingham", "zip": "35233", "price": "20", "sale": "17", "on": "2025-03-15"}


def make_detector(**fault: object) -> FieldErrorDetector:
    """A sound table whose last record has this fault."""
    rng = np.random.default_rng(0)
    records: list[dict[str, object]] = []
    for number in range(300):
        city = str(rng.choice(list(CITIES)))
        price = int(rng.integers(15, 40))
        records.append(
            {
                "city": city,
                "zip": CITIES[city],
                "price": str(price),
                "sale": str(price - int(rng.integers(1, 4))),
                "on": f"2025-{1 + number % 12:02d}-15",
            }
        )
    return FieldErrorDetector([*records, {**GOOD, **fault}])


@pytest.mark.parametrize(
    ("field", "value", "signal", "english", "chinese"),
    [
        (
            "city",
            "birmingxam",
            "near_frequent_value",
            "is one letter from 'birmingham' (",
            "只差一个字符",
        ),
        (
            "city",
            "dothan",
            "dependency_violation",
            "city does not fit zip 35233: ",
            "zip 35233 不符",
        ),
        ("city", "", "missing", "city is empty; 100 % of the records have a value", "city 为空"),
        ("city", "N/A", "missing_word", "'N/A' stands for a missing value in city", "表示缺失"),
        ("city", "birmingham ", "odd_characters", "stray spaces", "多余空格"),
        (
            "city",
            "birmingh\ufffdm",
            "rarest_character",
            "hardly occurs in city (1 of 301",
            "很少出现",
        ),
        ("city", "Q-77/b", "shape_rarity", "is written unlike the rest of city", "写法"),
        (
            "price",
            "cheap",
            "not_a_number",
            "'cheap' is not a number; 100 % of price are",
            "不是数字",
        ),
        ("price", "90000", "number_deviation", "90000 is far from what is usual in price", "远离"),
        ("price", "3", "order_violation", "price 3 is below sale 17", "小于"),
        ("on", "some day", "not_a_date", "is not a date", "不是日期"),
        (
            "on",
            "1950-01-01",
            "date_out_of_range",
            "lies far outside the days of on",
            "日期范围之外",
        ),
    ],
)
def test_each_kind_of_fault_is_put_into_words(
    field: str, value: str, signal: str, english: str, chinese: str
) -> None:
    found = make_detector(**{field: value}).evidence(300, field, limit=9)
    reasons = {one.signal: one.reason for one in found}
    assert signal in reasons
    assert english in str(reasons[signal])
    assert chinese in in_chinese(reasons[signal])


def test_a_sound_value_has_none_and_a_slip_names_the_right_value() -> None:
    assert make_detector().evidence(300, "city") == []
    (first, *_) = make_detector(city="birmingxam").evidence(300, "city")
    assert first.expected == "birmingham"


def test_a_value_found_wrong_only_by_likeness_says_so() -> None:
    records = [{"volume": f"{10 + n % 50} ml" if n % 2 else f"{10 + n % 50} oz"} for n in range(80)]
    marks = np.full((80, 1), -1, dtype=np.int8)
    marks[:40, 0] = [n % 2 for n in range(40)]
    detector = FieldErrorDetector(records).fit(marks)
    assert detector.predict()[61, 0]
    (only,) = detector.evidence(61, "volume")
    assert str(only.reason).startswith("resembles '")
    assert str(only.reason).endswith("ml', which was marked as wrong in volume")
    assert detector.evidence(60, "volume") == []
