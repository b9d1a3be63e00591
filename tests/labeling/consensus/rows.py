"""Shuffled random labels with known truth, and the same as crowd-kit's table."""

from random import Random
from typing import Any

import pandas as pd

from labeling.consensus.base import LabelFrame

Rows = list[tuple[int, int, str]]


def random_rows(
    seed: int,
    *,
    items: int = 60,
    people: int = 6,
    classes: str = "abc",
    votes: float = 0.7,
    skill: tuple[float, float] = (0.4, 0.95),
) -> tuple[Rows, dict[int, str]]:
    """(rows, truth); annotators are right as often as drawn from ``skill``."""
    random = Random(seed)
    truth = {item: random.choice(classes) for item in range(items)}
    skills = [random.uniform(*skill) for _ in range(people)]
    rows = [
        (item, person, truth[item] if random.random() < skills[person] else random.choice(classes))
        for item in range(items)
        for person in range(people)
        if random.random() < votes
    ]
    random.shuffle(rows)
    return rows, {item: truth[item] for item, _, _ in rows}


def random_frame(seed: int, **kinds: Any) -> LabelFrame:
    """The frame of such rows."""
    return LabelFrame.from_rows(random_rows(seed, **kinds)[0])


def crowd_kit_table(rows: Rows) -> pd.DataFrame:
    """Columns task, worker, label."""
    return pd.DataFrame(rows, columns=["task", "worker", "label"])
