"""Labels as codes, against the rows they are of."""

from collections import Counter

import numpy as np
import pytest

from labeling.consensus.base import CodedLabels, LabelFrame
from labeling.consensus.majority_vote import vote_shares
from labeling.consensus.others import others_answers
from tests.labeling.consensus.rows import Rows, random_rows


def shuffled(seed: int) -> Rows:
    rows, _ = random_rows(seed, items=25, people=5, votes=0.4, classes="dbca")
    return [(7 * item - 60, 90 - person, label) for item, person, label in rows]


def rows_of(coded: CodedLabels) -> Rows:
    return [
        (int(coded.items[i]), int(coded.annotators[w]), str(coded.classes[k]))
        for i, w, k in zip(coded.item, coded.annotator, coded.label, strict=True)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_codes_say_what_the_rows_say(seed: int) -> None:
    rows = shuffled(seed)
    frame = LabelFrame.from_rows(rows)
    coded = frame.codes
    assert rows_of(coded) == rows
    assert coded.items.tolist() == sorted({item for item, *_ in rows})
    assert coded.annotators.tolist() == sorted({person for _, person, _ in rows})
    assert coded.classes.tolist() == sorted({label for *_, label in rows})
    assert coded.shape == (len(coded.items), len(coded.annotators), len(coded.classes))
    counted = Counter((item, label) for item, _, label in rows)
    table = [[counted[i, k] for k in coded.classes.tolist()] for i in coded.items.tolist()]
    assert coded.votes().tolist() == table
    items, classes, counts = frame.counts()
    assert (items.tolist(), classes.tolist()) == (coded.items.tolist(), coded.classes.tolist())
    assert counts.tolist() == table
    weights = np.random.default_rng(seed).random(len(rows))
    weighed = np.zeros(coded.votes().shape)
    for weight, i, k in zip(weights, coded.item, coded.label, strict=True):
        weighed[i, k] += weight
    assert coded.votes(weights) == pytest.approx(weighed)
    each = Counter(item for item, *_ in rows)
    assert coded.has_several.tolist() == [each[item] > 1 for item in coded.items.tolist()]
    kept = np.random.default_rng(seed).random(len(rows)) < 0.5
    part = coded.rows(kept)
    assert rows_of(part) == [row for row, is_kept in zip(rows, kept, strict=True) if is_kept]
    assert part.shape == coded.shape
    wide = coded.over(["c", "x", "a", "d", "b"])
    assert rows_of(wide) == rows
    assert wide.classes.tolist() == ["c", "x", "a", "d", "b"]
    shares = vote_shares(part)
    votes = part.votes()
    for row, given in zip(shares, votes, strict=True):
        whole = given.sum()
        expected = given / whole if whole else np.full(len(given), 1 / len(given))
        assert row == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(4))
def test_the_others_are_all_but_the_one_who_answers(seed: int) -> None:
    rows = shuffled(seed)
    found = others_answers(LabelFrame.from_rows(rows))
    assert found.classes == sorted({label for *_, label in rows})
    for row, (item, person, label) in enumerate(rows):
        others = Counter(k for i, p, k in rows if i == item and p != person)
        assert found.classes[found.given[row]] == label
        assert found.votes[row].tolist() == [others[k] for k in found.classes]
        top = [k for k in found.classes if others[k] == max(others.values(), default=0) > 0]
        expected = found.classes.index(top[0]) if len(top) == 1 else -1
        assert found.consensus[row] == expected


def test_nobody_has_no_others() -> None:
    found = others_answers(LabelFrame.from_rows([]))
    assert (found.classes, found.votes.shape) == ([], (0, 0))
    assert len(found.given) == len(found.consensus) == 0


def test_classes_that_are_missing_or_named_twice_are_refused() -> None:
    coded = LabelFrame.from_rows([(1, 1, "a"), (1, 2, "b")]).codes
    with pytest.raises(ValueError, match="twice"):
        coded.over(["a", "b", "a"])
    with pytest.raises(ValueError, match=r"\['b'\] are not among"):
        coded.over(["a", "c"])
    nothing = LabelFrame.from_rows([]).codes.over(["a", "b"])
    assert nothing.shape == (0, 0, 2)
    assert nothing.votes().shape == (0, 2)
    assert vote_shares(nothing).shape == (0, 2)


@pytest.mark.parametrize("lengths", [(2, 1, 1), (1, 2, 1), (1, 1, 2)])
def test_columns_have_one_length(lengths: tuple[int, int, int]) -> None:
    one, two, three = lengths
    with pytest.raises(ValueError, match="differ in length"):
        LabelFrame(np.arange(one), np.arange(two), np.full(three, "a"))
