"""Dawid-Skene against crowd-kit and against the definition, label by label."""

import math

import numpy as np
import pytest
from crowdkit.aggregation import DawidSkene

from labeling.consensus.base import LabelFrame
from labeling.consensus.dawid_skene import ITERATIONS, TOLERANCE, dawid_skene
from tests.labeling.consensus.rows import Rows, crowd_kit_table, random_frame, random_rows


@pytest.mark.filterwarnings("ignore")  # crowd-kit on pandas 3.1
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("people", "votes"), [(6, 0.7), (30, 0.1)])
def test_probabilities_are_crowd_kits(seed: int, people: int, votes: float) -> None:
    rows, _ = random_rows(seed, people=people, votes=votes, classes="abcd"[: 2 + seed % 3])
    peer = DawidSkene(n_iter=30)
    theirs = peer.fit_predict_proba(crowd_kit_table(rows))
    ours = dawid_skene(LabelFrame.from_rows(rows), iterations=30)
    same = theirs.loc[ours.item_ids, ours.classes.tolist()].to_numpy()
    assert ours.probabilities == pytest.approx(same, abs=1e-6)
    assert ours.class_prior == pytest.approx(
        peer.priors_[ours.classes.tolist()].to_numpy(), abs=1e-6
    )
    assert ours.confusion is not None
    for (worker, label), row in peer.errors_.iterrows():
        place = ours.annotators.tolist().index(worker)
        column = ours.confusion[place, :, ours.classes.tolist().index(label)]
        assert column == pytest.approx(row[ours.classes.tolist()].to_numpy(), abs=1e-6)


def test_it_stops_when_crowd_kit_does() -> None:
    assert (DawidSkene().n_iter, DawidSkene().tol) == (ITERATIONS, TOLERANCE)


def one_step(rows: Rows, smoothing: float) -> dict[int, dict[str, float]]:
    """Shares, matrices and probabilities once around, in plain loops."""
    classes = sorted({label for *_, label in rows})
    people = sorted({person for _, person, _ in rows})
    items = sorted({item for item, *_ in rows})
    p = {
        item: {
            k: sum(i == item and label == k for i, _, label in rows)
            / sum(i == item for i, *_ in rows)
            for k in classes
        }
        for item in items
    }
    counts = {
        (w, label, k): sum(p[i][k] for i, v, given in rows if v == w and given == label)
        for w in people
        for label in classes
        for k in classes
    }
    pooled = {
        (label, k): sum(counts[w, label, k] for w in people) + 1 / len(classes)
        for label in classes
        for k in classes
    }
    says = {}
    for w in people:
        for k in classes:
            whole = sum(pooled[label, k] for label in classes)
            column = {
                label: counts[w, label, k] + smoothing * pooled[label, k] / whole
                for label in classes
            }
            for label in classes:
                says[w, label, k] = column[label] / sum(column.values())
    prior = {k: sum(p[item][k] for item in items) / len(items) for k in classes}
    found = {}
    for item in items:
        scores = {
            k: prior[k] * math.prod(says[w, label, k] for i, w, label in rows if i == item)
            for k in classes
        }
        found[item] = {k: scores[k] / sum(scores.values()) for k in classes}
    return found


@pytest.mark.parametrize("seed", range(5))
def test_one_step_is_the_definition(seed: int) -> None:
    rows, _ = random_rows(seed, items=15)
    result = dawid_skene(LabelFrame.from_rows(rows), iterations=1, smoothing=1.5)
    for item, expected in one_step(rows, 1.5).items():
        row = result.probabilities[result.item_ids == item][0]
        assert dict(zip(result.classes.tolist(), row, strict=True)) == pytest.approx(expected)


def test_someone_who_says_the_opposite_is_understood() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    rows = [
        (
            item,
            person,
            "ab"[(truth[item] if rng.random() < 0.9 else 1 - truth[item]) ^ (person == 0)],
        )
        for item in range(200)
        for person in range(5)
    ]
    result = dawid_skene(LabelFrame.from_rows(rows))
    assert result.accuracy is not None
    assert result.accuracy[0] < 0.2
    assert (result.codes == truth).mean() > 0.98


def test_smoothing_draws_people_together() -> None:
    frame = random_frame(3, people=20, votes=0.15)
    loose, tight = (dawid_skene(frame, smoothing=s).confusion for s in (0.0, 50.0))
    assert loose is not None
    assert tight is not None
    assert tight.std(axis=0).max() < 0.5 * loose.std(axis=0).max()


def test_thousands_of_votes_on_an_item_do_not_vanish() -> None:
    """Their probability is below the smallest number; that of the classes given them is not."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 6)
    rows: Rows = []
    for person in range(3_000):
        for item, label in enumerate(truth.tolist()):
            said = label if rng.random() < 0.5 else int(rng.integers(3))
            rows.append((item, person, "abc"[said]))
    found = dawid_skene(LabelFrame.from_rows(rows), smoothing=1.0)
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(6))
    assert [found[item].label for item in range(6)] == ["abc"[code] for code in truth.tolist()]
