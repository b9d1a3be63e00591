"""Votes that are left out in turn, and how probable a method found each."""

from collections import Counter

import numpy as np
import pytest

from labeling.consensus import held_out
from labeling.consensus.base import CodedLabels, LabelFrame
from labeling.consensus.dawid_skene import Fitted
from labeling.consensus.held_out import (
    CLEARLY,
    DEPENDENCES,
    choose_dependence,
    vote_log_likelihoods,
)
from tests.labeling.consensus.rows import random_frame

Votes = Counter[tuple[int, int, int]]


def votes_of(coded: CodedLabels) -> Votes:
    return Counter(
        zip(coded.item.tolist(), coded.annotator.tolist(), coded.label.tolist(), strict=True)
    )


class Method:
    """Knows tables that nothing is fitted to; remembers on what it was asked to fit."""

    def __init__(self, coded: CodedLabels, seed: int) -> None:
        rng = np.random.default_rng(seed)
        items, people, classes = coded.shape
        self.fitted = Fitted(
            rng.dirichlet(np.ones(classes), items),
            rng.dirichlet(np.ones(classes), (people, classes)),
            np.full(classes, 1 / classes),
        )
        self.rests: list[CodedLabels] = []

    def __call__(self, rest: CodedLabels) -> Fitted:
        self.rests.append(rest)
        return self.fitted


@pytest.mark.parametrize("fewest", [0, 1, 2])
def test_each_vote_is_left_out_once_if_its_item_has_others_enough(fewest: int) -> None:
    frame = random_frame(3, items=40, people=6, votes=0.4)
    coded, left = frame.codes, Counter[tuple[int, int, int]]()
    whole = votes_of(coded)
    parts = list(held_out._held_out_votes(coded, 5, fewest))
    assert len(parts) == 3
    for rest, item, annotator, label in parts:
        out = Counter(zip(item.tolist(), annotator.tolist(), label.tolist(), strict=True))
        kept = votes_of(rest)
        missing = whole - kept
        assert not kept - whole
        assert sum(kept.values()) == pytest.approx(2 / 3 * len(coded.label), rel=0.25)
        by_item = Counter(place for place, *_ in kept.elements())
        assert out == Counter(v for v in missing.elements() if by_item[v[0]] >= fewest)
        left += out
    assert all(times == 1 for times in left.values())
    if fewest == 0:
        assert left == whole
    order = np.random.default_rng(0).permutation(len(coded.label))
    mixed = LabelFrame(frame.items[order], frame.annotators[order], frame.labels[order]).codes
    for one, other in zip(parts, held_out._held_out_votes(mixed, 5, fewest), strict=True):
        assert [each.tolist() for each in one[1:]] == [each.tolist() for each in other[1:]]


@pytest.mark.parametrize("needs_other_vote", [True, False])
def test_votes_are_foreseen_by_what_was_found_without_them_at_the_best_temper(
    needs_other_vote: bool,
) -> None:
    coded = random_frame(4, items=50, people=6, votes=0.4).codes
    methods = {"one": Method(coded, 1), "two": Method(coded, 2)}
    tempers = (1.0, 0.5, 3.0)
    found = vote_log_likelihoods(
        coded, methods, seed=9, needs_other_vote=needs_other_vote, tempers=tempers
    )
    out = list(held_out._held_out_votes(coded, 9, int(needs_other_vote)))
    for name, method in methods.items():
        assert [votes_of(rest) for rest in method.rests] == [votes_of(rest) for rest, *_ in out]
        tables = []
        for temper in tempers:
            logs = []
            for _, items, people, labels in out:
                for i, w, label in zip(items, people, labels, strict=True):
                    p = method.fitted.probabilities[i] ** temper
                    says = method.fitted.confusion[w, :, label]
                    logs.append(float(np.log((p / p.sum()) @ says)))
            tables.append(logs)
        assert found[name] == pytest.approx(max(tables, key=sum))
    assert len(found["one"]) == len(found["two"])


def test_a_vote_that_was_thought_impossible_costs_much_and_not_everything() -> None:
    coded = random_frame(5, items=12, people=3, votes=1.0, classes="ab").codes
    method = Method(coded, 1)
    method.fitted.confusion[:] = np.array([[1.0, 0.0], [1.0, 0.0]])
    found = vote_log_likelihoods(coded, {"sure": method}, seed=0)["sure"]
    assert sorted(set(found.round(9).tolist())) == [round(float(np.log(1e-12)), 9), 0.0]


def test_of_very_many_votes_those_of_some_items_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = random_frame(6, items=600, people=4, votes=0.5)
    coded = frame.codes
    each = Counter(coded.item.tolist())
    for most, is_part in ((len(coded.label), False), (len(coded.label) // 4, True)):
        monkeypatch.setattr(held_out, "LABELS", most)
        used = Counter[int]()
        for _, item, *_ in held_out._held_out_votes(coded, 0, 0):
            used.update(item.tolist())
        assert (sum(used.values()) < len(coded.label)) is is_part
        assert sum(used.values()) == pytest.approx(most, rel=0.25)
        assert all(each[item] == times for item, times in used.items()), "whole items"


@pytest.mark.parametrize("seed", range(8))
def test_dependence_is_the_value_that_foresees_best_if_clearly_better_than_none(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    coded = random_frame(seed, items=60, people=7, votes=0.8, classes="abc").codes
    method = Method(coded, seed)
    # Surely right, or surely wrong, as often as the seed says: then doubt pays more or less.
    votes = coded.votes()
    top = np.where(rng.random(60) < 0.5 + seed / 16, votes.argmax(1), rng.integers(0, 3, 60))
    method.fitted.probabilities[:] = np.where(top[:, None] == np.arange(3), 0.9998, 0.0001)
    method.fitted.confusion[:] = np.where(np.eye(3, dtype=bool), 0.8, 0.1)
    logs: dict[float, list[float]] = {each: [] for each in (0.0, *DEPENDENCES)}
    for rest, items, people, labels in held_out._held_out_votes(coded, 3, 2):
        given = Counter(rest.item.tolist())
        for i, w, label in zip(items.tolist(), people.tolist(), labels.tolist(), strict=True):
            for each, found in logs.items():
                p = method.fitted.probabilities[i] ** (1 / (1 + (given[i] - 1) * each))
                says = method.fitted.confusion[w, :, label]
                found.append(float(np.log(p / p.sum() @ says)))
    best = max(logs, key=lambda each: float(np.mean(logs[each])))
    gain = np.array(logs[best]) - np.array(logs[0.0])
    is_clear = gain.mean() > CLEARLY * gain.std() / len(gain) ** 0.5
    assert choose_dependence(coded, method, seed=3) == (best if is_clear else 0.0)


def test_without_items_of_three_votes_there_is_no_dependence() -> None:
    for rows in ([], [(item, who, "ab"[item % 2]) for item in range(20) for who in (1, 2)]):
        coded = LabelFrame.from_rows(rows).codes.over(["a", "b"])
        assert choose_dependence(coded, Method(coded, 0), seed=0) == 0.0
