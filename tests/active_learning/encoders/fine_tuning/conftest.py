"""Texts that teach a transformer something."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

WORDS = ("price", "missing", "title", "sound", "broken", "blue", "shoe", "kettle", "cheap", "good")
SIGNS = ("missing", "sound", "broken")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums have one order: as many threads as another process has, whatever ran before."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
