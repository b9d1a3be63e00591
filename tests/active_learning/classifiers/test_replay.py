"""The replay buffer against its definition, and a head that does not forget with it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.classifiers.replay import ReplayBuffer, fit_with_replay, shares
from active_learning.columns.signals import CELL_SIGNALS
from active_learning.exceptions import NoLabels, ShapeMismatch, UnknownLabel
from tests.active_learning.conftest import CLASSES, ISSUES, World


def stream(count: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Rows that hold their own number, of three classes of 70, 25 and 5 %."""
    rng = np.random.default_rng(seed)
    labels = np.array(["a", "b", "c"])[rng.choice(3, count, p=[0.7, 0.25, 0.05])]
    return np.arange(count, dtype=np.float32)[:, None], labels


def filled(capacity: int, count: int, seed: int, step: int = 7) -> ReplayBuffer:
    rows, labels = stream(count)
    buffer = ReplayBuffer(capacity, seed=seed)
    for start in range(0, count, step):
        buffer.add(rows[start : start + step], labels[start : start + step])
    return buffer


def test_every_row_of_a_class_is_equally_likely_to_be_held() -> None:
    _, labels = stream(60)
    runs = 2000
    held = np.zeros(60)
    for seed in range(runs):
        held[filled(12, 60, seed).rows().features[:, 0].astype(int)] += 1
    for name, count in Counter(labels.tolist()).items():
        mine = held[labels == name] / runs
        expected = mine.mean()
        error = np.sqrt(expected * (1 - expected) / runs)
        assert np.abs(mine - expected).max() <= 4 * error + 1e-12
        quota = shares([count for _, count in Counter(labels.tolist()).items()], 12)
        assert expected * count == pytest.approx(quota[list(Counter(labels.tolist())).index(name)])


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_holds_at_every_step_and_no_room_is_wasted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    buffer = ReplayBuffer(int(rng.integers(1, 30)), seed=seed)
    capacity = buffer.capacity
    total = 0
    names = np.array(list("abcdefgh"))
    while total < 200:
        count = int(rng.integers(0, 20))
        weights = rng.dirichlet(np.full(8, 0.3))
        buffer.add(rng.random((count, 3), dtype=np.float32), names[rng.choice(8, count, p=weights)])
        total += count
        assert len(buffer) == min(total, capacity)
        assert sum(buffer.class_counts.values()) == total
        if total:
            by_class = Counter(buffer.rows().labels.tolist())
            short = [name for name, seen in buffer.class_counts.items() if by_class[name] < seen]
            if short:  # a class that lost rows holds no fewer than any other, but for rounding
                assert min(by_class[name] for name in short) >= max(by_class.values()) - 1


def test_the_content_depends_on_the_order_of_rows_and_not_on_the_batches() -> None:
    one, many = filled(20, 150, 3, step=150), filled(20, 150, 3, step=1)
    np.testing.assert_array_equal(one.rows().features, many.rows().features)
    assert not np.array_equal(one.rows().features, filled(20, 150, 4).rows().features)


def test_rows_come_in_the_order_of_arrival_with_their_labels() -> None:
    _, labels = stream(150)
    held = filled(20, 150, 5).rows()
    numbers = held.features[:, 0].astype(int)
    assert (np.diff(numbers) > 0).all()
    np.testing.assert_array_equal(held.labels, labels[numbers])


def test_weights_stand_for_all_that_was_seen() -> None:
    buffer = filled(20, 150, 5)
    held = buffer.rows()
    for name, seen in buffer.class_counts.items():
        assert held.weights[held.labels == name].sum() == pytest.approx(seen)
    drawn = [buffer.sample(8, np.random.default_rng(s)).weights.sum() for s in range(2000)]
    assert np.mean(drawn) == pytest.approx(150, rel=0.02)


def test_a_sample_is_uniform_and_never_short() -> None:
    buffer = filled(20, 150, 5)
    numbers = buffer.rows().features[:, 0]
    drawn = Counter[float]()
    for seed in range(2000):
        sample = buffer.sample(5, np.random.default_rng(seed)).features[:, 0]
        assert len(set(sample.tolist())) == 5
        assert (np.diff(sample) > 0).all()
        drawn.update(sample.tolist())
    counts = np.array([drawn[number] for number in numbers.tolist()])
    assert np.abs(counts - 500).max() < 4 * np.sqrt(2000 * 0.25 * 0.75)
    with pytest.raises(NoLabels, match="21 rows were asked"):
        buffer.sample(21, np.random.default_rng(0))
    with pytest.raises(NoLabels):
        ReplayBuffer(3).rows()


def test_a_buffer_from_disk_goes_on_as_the_one_that_was_saved(tmp_path: Path) -> None:
    rows, labels = stream(150)
    buffer = ReplayBuffer(15, seed=2, marks=2)
    marks = np.random.default_rng(0).integers(-1, 2, (150, 2)).astype(np.int8)
    buffer.add(rows[:90], labels[:90], marks[:90])
    np.savez(tmp_path / "buffer.npz", **buffer.to_arrays())  # type: ignore[arg-type]
    with np.load(tmp_path / "buffer.npz", allow_pickle=False) as arrays:
        again = ReplayBuffer.from_arrays(arrays)
    for one in (buffer, again):
        one.add(rows[90:], labels[90:], marks[90:])
    for name, array in buffer.to_arrays().items():
        np.testing.assert_array_equal(array, again.to_arrays()[name])
    held = buffer.rows()
    np.testing.assert_array_equal(held.marks, marks[held.features[:, 0].astype(int)])


def test_an_empty_buffer_survives_the_disk_and_broken_arrays_are_refused() -> None:
    again = ReplayBuffer.from_arrays(ReplayBuffer(4, seed=9).to_arrays())
    assert (len(again), again.capacity, again.seed) == (0, 4, 9)
    whole = filled(10, 50, 0).to_arrays()
    for name in whole:
        with pytest.raises(ShapeMismatch):
            ReplayBuffer.from_arrays({k: v for k, v in whole.items() if k != name})
    with pytest.raises(ShapeMismatch):
        ReplayBuffer.from_arrays(whole | {"priorities": whole["priorities"][:-1]})


def test_bad_input_leaves_the_buffer_as_it_was() -> None:
    buffer = filled(10, 50, 0)
    before = buffer.to_arrays()
    for rows, labels in (
        (np.zeros((2, 1), np.float32), ["a"]),
        (np.zeros((2, 3), np.float32), ["a", "b"]),
        (np.zeros(2, np.float32), ["a", "b"]),
    ):
        with pytest.raises(ShapeMismatch):
            buffer.add(rows, labels)
    with pytest.raises(ShapeMismatch, match="Marks"):
        buffer.add(np.zeros((1, 1), np.float32), ["a"], np.zeros((1, 2), np.int8))
    for name, array in buffer.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(ShapeMismatch, match="at least 1"):
        ReplayBuffer(0)


def test_shares_fill_the_room_evenly() -> None:
    assert shares([100, 3, 50], 23) == [10, 3, 10]
    assert shares([100, 100, 100], 10) == [4, 3, 3]
    assert shares([2, 3], 10) == [2, 3]
    assert shares([5, 5, 5], 2) == [1, 1, 0]


def blobs() -> tuple[FeatureLayout, NDArray[np.float32], NDArray[np.str_]]:
    """Six overlapping classes that come one after the other, 80 rows each."""
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(6, 16))
    codes = np.repeat(np.arange(6), 80)
    rows = centres[codes] + rng.normal(0, 0.7, (480, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return (
        FeatureLayout(16, 0, (), len(CELL_SIGNALS)),
        rows.astype(np.float32),
        np.array(list("abcdef"))[codes],
    )


def test_replay_keeps_what_new_rows_alone_forget() -> None:
    layout, rows, labels = blobs()
    buffer = ReplayBuffer(60, seed=1)
    replayed = naive = None
    for start in range(0, 480, 80):
        part = slice(start, start + 80)
        replayed = fit_with_replay(
            RecordClassifier(layout, "abcdef"),
            rows[part],
            labels[part],
            buffer,
            warm_start=replayed,
        )
        naive = RecordClassifier(layout, "abcdef").fit(rows[part], labels[part], warm_start=naive)
    assert naive is not None
    assert replayed is not None
    assert naive.score(rows, labels.tolist()) < 0.3
    whole = RecordClassifier(layout, "abcdef").fit(rows, labels).score(rows, labels.tolist())
    assert replayed.score(rows, labels.tolist()) > whole - 0.1
    assert len(buffer) == 60


@pytest.mark.parametrize("steps", ["ab c def", "a bc d ef", "ab a cd ef", "a a b cdef"])
def test_a_step_that_brings_one_class_only_teaches_it_and_forgets_none(steps: str) -> None:
    layout, rows, labels = blobs()
    taken: set[int] = set()
    buffer = ReplayBuffer(60, seed=1)
    found = None
    for step in steps.split():
        left = [row for row in range(480) if labels[row] in step and row not in taken]
        part = np.array([row for row in left if row % 2 == 0 or steps.count(labels[row]) == 1])
        if all(row % 2 for row in left):
            part = np.array(left)
        taken |= set(part.tolist())
        found = fit_with_replay(
            RecordClassifier(layout, "abcdef"), rows[part], labels[part], buffer, warm_start=found
        )
        known = np.array(sorted(taken))
        whole = RecordClassifier(layout, "abcdef").fit(rows[known], labels[known])
        reached = found.score(rows[known], labels[known].tolist())
        assert reached > whole.score(rows[known], labels[known].tolist()) - 0.1, step
        assert set(buffer.rows().labels.tolist()) == set(labels[known].tolist())
    assert len(taken) == 480


def test_a_buffer_that_holds_everything_teaches_what_all_labels_teach(world: World) -> None:
    buffer = ReplayBuffer(500, seed=1, marks=len(ISSUES) + len(world.layout.fields))
    found = None
    for start in (0, 100, 200):
        part = slice(start, start + 100)
        found = fit_with_replay(
            RecordClassifier(world.layout, CLASSES, ISSUES, seed=1),
            world.features[part],
            world.grades[part],
            buffer,
            issues=world.issues[part],
            faulty_fields=world.faulty[part],
            warm_start=found,
        )
        warm = found if start == 100 else None
        if warm is not None:
            before = warm
    assert found is not None
    whole = RecordClassifier(world.layout, CLASSES, ISSUES, seed=1).fit(
        world.features[:300],
        world.grades[:300],
        issues=world.issues[:300],
        faulty_fields=world.faulty[:300],
        warm_start=before,
    )
    np.testing.assert_allclose(
        found.predict_all(world.features).faulty_fields,
        whole.predict_all(world.features).faulty_fields,
    )
    np.testing.assert_allclose(
        found.predict_proba(world.features), whole.predict_proba(world.features), atol=1e-6
    )


def test_a_failed_fit_leaves_the_buffer_as_it_was(world: World) -> None:
    buffer = ReplayBuffer(50)
    with pytest.raises(UnknownLabel):
        fit_with_replay(
            RecordClassifier(world.layout, CLASSES), world.features[:2], ["good", "best"], buffer
        )
    with pytest.raises(ShapeMismatch, match="marks=7"):
        fit_with_replay(
            RecordClassifier(world.layout, CLASSES, ISSUES),
            world.features[:2],
            ["good", "fair"],
            buffer,
            issues=world.issues[:2],
        )
    assert len(buffer) == 0
