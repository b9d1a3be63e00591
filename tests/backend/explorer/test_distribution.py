"""Bars are as high as they have records, and each leads to its own."""

import pytest

from backend.explorer.address import Address
from backend.explorer.distribution import BARS, HEIGHT, LEAST, WIDTH, distribution
from backend.scoring.schemas import HistogramBar


def counted(*counts: int) -> list[HistogramBar]:
    return [
        HistogramBar(low=place / len(counts), high=(place + 1) / len(counts), count=count)
        for place, count in enumerate(counts)
    ]


def test_two_counts_are_one_bar_and_the_largest_fills_the_height() -> None:
    counts = [0] * 20
    counts[0], counts[1], counts[10], counts[19] = 30, 10, 1, 20
    picture = distribution("risk", counted(*counts), Address.of_query(""))
    assert [bar.count for bar in picture.bars] == [40, 0, 0, 0, 0, 1, 0, 0, 0, 20]
    assert [bar.height for bar in picture.bars[::9]] == [HEIGHT, HEIGHT / 2]
    assert picture.bars[5].height == LEAST, "one record beside forty is seen"
    assert picture.bars[1].height == 0
    assert len(picture.bars) == BARS
    assert picture.bars[-1].x + picture.bars[-1].width == pytest.approx(WIDTH)


def test_a_bar_leads_to_its_records_and_back() -> None:
    address = Address.of_query("grade=poor&risk_from=0.2")
    bars = distribution("risk", counted(*[1] * 20), address).bars
    assert bars[0].query == "grade=poor&risk_to=0.1"
    assert bars[3].query == "grade=poor&risk_from=0.3&risk_to=0.4"
    assert bars[9].query == "grade=poor&risk_from=0.9"
    assert not any(bar.is_on for bar in bars), "a half-open range is no bar"
    bars = distribution("risk", counted(*[1] * 20), Address.of_query(bars[3].query)).bars
    assert [place for place, bar in enumerate(bars) if bar.is_on] == [3]
    assert bars[3].query == "grade=poor"


def test_no_records_are_no_bars() -> None:
    picture = distribution("confidence", counted(*[0] * 20), Address.of_query(""))
    assert {bar.height for bar in picture.bars} == {0}
