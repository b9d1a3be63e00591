"""Contributions add up where they are exact, and occlusion says what hiding a field does."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import RecordFeatures
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.exceptions import ShapeMismatch, UnknownLabel
from active_learning.explanations.marks import reason_of
from active_learning.explanations.occlusion import TypicalCells, explain
from active_learning.explanations.tokens import token_spans
from tests.active_learning.conftest import CLASSES, ISSUES, World
from tests.fixtures.chinese import in_chinese


@pytest.fixture(scope="module")
def classifier(world: World) -> RecordClassifier:
    return RecordClassifier(world.layout, CLASSES, ISSUES, seed=1).fit(
        world.features[:200],
        world.grades[:200],
        issues=world.issues[:200],
        faulty_fields=world.faulty[:200],
    )


def test_the_injected_fault_is_the_strongest_mark(
    world: World, classifier: RecordClassifier
) -> None:
    rows = [r for r in range(400, 800) if world.faulty[r].sum() == 1]
    found = explain(
        classifier,
        [world.records[r] for r in rows],
        world.features[rows],
        ["good"] * len(rows),
        TypicalCells.of(world.layout, world.features),
    )
    hits = 0
    for row, explanation in zip(rows, found, strict=True):
        guilty = world.layout.fields[int(world.faulty[row].argmax())]
        hits += explanation.marks[0].field == guilty and explanation.marks[0].contribution < 0
    assert hits / len(rows) > 0.9


def test_a_missing_value_is_said_to_be_missing(world: World, classifier: RecordClassifier) -> None:
    row = next(r for r in range(400, 800) if world.faulty[r].tolist() == [0, 0, 0, 1, 0])
    (found,) = explain(
        classifier,
        [world.records[row]],
        world.features[[row]],
        ["good"],
        TypicalCells.of(world.layout, world.features),
    )
    assert str(found.marks[0].reason).startswith("price missing lowers 'good' by ")
    assert in_chinese(found.marks[0].reason).startswith("price 缺失，使“good”降低 ")
    assert len(found.marks) <= 5
    assert json.loads(json.dumps(found.to_json()))["marks"][0]["field"] == "price"


class WordCounts:
    """Word counts, not scaled: a head on these is linear in the words."""

    dimension = 64
    revision = "word-counts"

    def encode(self, texts: Sequence[str], *_: object) -> NDArray[np.float32]:
        out = np.zeros((len(texts), 64), np.float32)
        for row, text in enumerate(texts):
            for word in text.replace(":", " ").replace("|", " ").split():
                out[row, sum(map(ord, word)) % 64] += 0.25
        return out


@pytest.fixture
def reader(cache_folder: Path) -> tuple[RecordClassifier, list[dict[str, str]], RecordFeatures]:
    """A classifier that has to read: the grade is the word in the title."""
    rng = np.random.default_rng(1)
    words = np.array(["alpha", "beta", "gamma", "delta"])
    records, grades = [], []
    for number in range(240):
        good = number % 2 == 0
        title = [*rng.choice(words, 3), "splendid" if good else "broken"]
        rng.shuffle(title)
        records.append({"title": " ".join(title), "note": str(rng.choice(words))})
        grades.append("good" if good else "poor")
    signals = ColumnSignals.fit(records)
    maker = RecordFeatures(EmbeddingCache(cache_folder, WordCounts()), signals)
    classifier = RecordClassifier(maker.layout, ("good", "poor")).fit(
        maker.transform(records), grades
    )
    return classifier, records, maker


def test_pieces_equal_the_exact_contribution_where_the_encoder_is_linear(
    reader: tuple[RecordClassifier, list[dict[str, str]], RecordFeatures],
) -> None:
    classifier, records, maker = reader
    assert classifier.fitted_ is not None
    assert classifier.fitted_.design.scales.embedding > 0
    features = maker.transform(records[:20])
    encoder = WordCounts()
    found = explain(
        classifier,
        records[:20],
        features,
        ["good"] * 20,
        TypicalCells.of(maker.layout, features),
        embed=encoder.encode,
        level="tokens",
    )
    design = classifier.fitted_.design
    from active_learning.explanations.target import Target

    weights = Target.of(classifier, "good").weights[-design.basis.shape[1] :]
    exact_of = design.basis.astype(float) @ weights * design.scales.embedding
    checked = 0
    for record, explanation in zip(records[:20], found, strict=True):
        title = next(mark for mark in explanation.marks if mark.field == "title")
        for token in title.tokens:
            assert record["title"][token.start : token.end] == token.text
            wanted = float(encoder.encode([token.text])[0] @ exact_of)
            assert token.contribution == pytest.approx(wanted, abs=1e-4)
            checked += 1
        strongest = max(title.tokens, key=lambda token: abs(token.contribution))
        assert strongest.text in ("splendid", "broken")
        assert (strongest.contribution > 0) == (strongest.text == "splendid")
    assert checked > 20


def test_signals_of_pieces_find_the_slip_inside_a_value(
    world: World, classifier: RecordClassifier
) -> None:
    row = next(r for r in range(400, 800) if world.faulty[r].tolist() == [0, 0, 1, 0, 0])
    (found,) = explain(
        classifier,
        [world.records[row]],
        world.features[[row]],
        ["good"],
        TypicalCells.of(world.layout, world.features),
        embed=CharacterEncoder(64).encode,
        signals_of=world.signals.transform,
        level="tokens",
    )
    assert found.marks[0].field == "category"
    for mark in found.marks[0].tokens:
        assert 0 <= mark.start < mark.end <= len(world.records[row]["category"])


def test_bad_input_is_named(world: World, classifier: RecordClassifier) -> None:
    typical = TypicalCells.of(world.layout, world.features)
    with pytest.raises(UnknownLabel, match="excellent"):
        explain(classifier, world.records[:1], world.features[:1], ["excellent"], typical)
    with pytest.raises(ShapeMismatch, match="2 records"):
        explain(classifier, world.records[:2], world.features[:1], ["good"], typical)
    assert explain(classifier, [], world.features[:0], [], typical) == []


@pytest.mark.parametrize(
    ("value", "pieces"),
    [
        ("Tea-pot 红茶壶", ["Tea", "-", "pot", "红茶", "壶"]),
        ("", []),
        ("12.5 ML", ["12", ".", "5", "ML"]),
    ],
)
def test_pieces_are_words_signs_and_pairs_of_chinese_characters(
    value: str, pieces: list[str]
) -> None:
    assert [value[start:end] for start, end in token_spans(value, 20)] == pieces


def test_long_values_are_cut_into_runs() -> None:
    value = " ".join(f"word{number}" for number in range(1000))
    spans = token_spans(value, 16)
    assert len(spans) == 16
    assert spans[0][0] == 0
    assert spans[-1][1] == len(value)


def test_words_of_a_mark() -> None:
    reason = reason_of("category", "Kitchxn", "good", 0.84)
    assert str(reason) == "category “Kitchxn” raises 'good' by 0.8"
    assert in_chinese(reason) == "category“Kitchxn”，使“good”升高 0.8"
