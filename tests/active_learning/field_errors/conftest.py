"""A made table with known faults."""

from dataclasses import dataclass

import numpy as np
import pytest

from active_learning.field_errors import CellTable
from active_learning.types import Marks

CITIES = {"birmingham": "35233", "dothan": "36301", "florence": "35631", "opelika": "36801"}
FAULTS = {
    "city": lambda text: f"{text[:3]}x{text[4:]}",
    "zip": lambda text: {"35233": "36301", "36301": "36801"}.get(text, "35233"),
    "price": lambda text: f"{text} usd",
    "color": lambda _: "N/A",
}


@dataclass(frozen=True)
class Shop:
    """The cells of a table and where it is wrong."""

    table: CellTable
    wrong: Marks


def make_shop(seed: int, rows: int) -> Shop:
    """Four fields with a kind of fault each, in one of sixteen cells; one field without."""
    rng = np.random.default_rng(seed)
    records, wrong = [], np.zeros((rows, 5), dtype=np.int8)
    for number in range(rows):
        city = str(rng.choice(list(CITIES)))
        record = {
            "id": str(1000 + number),
            "city": city,
            "zip": CITIES[city],
            "price": f"{rng.integers(10, 99)}.50",
            "color": str(rng.choice(["red", "blue", "green"])),
        }
        for place, (field, break_it) in enumerate(FAULTS.items(), start=1):
            if rng.random() < 1 / 16:
                record[field] = break_it(record[field])
                wrong[number, place] = 1
        records.append(record)
    return Shop(CellTable(records), wrong)


@pytest.fixture(scope="session")
def shop() -> Shop:
    return make_shop(seed=0, rows=400)
