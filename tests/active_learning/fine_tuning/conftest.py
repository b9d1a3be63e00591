"""Texts that teach a transformer something."""

import numpy as np
import pytest
from numpy.typing import NDArray

WORDS = ("price", "missing", "title", "sound", "broken", "blue", "shoe", "kettle", "cheap", "good")
SIGNS = ("missing", "sound", "broken")


@pytest.fixture(scope="session")
def labelled_texts() -> tuple[list[str], NDArray[np.intp]]:
    """240 texts whose grade is told by one word of many."""
    rng = np.random.default_rng(4)
    grades = rng.integers(0, len(SIGNS), 240)
    texts = []
    for grade in grades.tolist():
        words = rng.choice([w for w in WORDS if w not in SIGNS], size=rng.integers(3, 9)).tolist()
        words.insert(int(rng.integers(len(words))), SIGNS[grade])
        texts.append(" ".join(words))
    return texts, grades
