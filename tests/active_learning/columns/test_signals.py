"""Signals show what only shows beside the other records."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from itertools import permutations
from time import perf_counter

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from active_learning.columns.near_values import NearFrequent
from active_learning.columns.relations import Coded, ColumnRelations
from active_learning.columns.signals import CELL_SIGNALS, RECORD_SIGNALS, ColumnSignals
from active_learning.columns.value_parsing import day_of, number_of, shape_of, text_of
from active_learning.exceptions import ArtifactCorrupt, Cancelled, NoLabels
from tests.active_learning.conftest import World


def signal(signals: ColumnSignals, record: Mapping[str, object], field: str, name: str) -> float:
    cells = signals.transform([record]).cells
    return float(cells[0, signals.fields.index(field), CELL_SIGNALS.index(name)])


@pytest.fixture(scope="module")
def shop() -> ColumnSignals:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(600):
        city = ["Paris", "Berlin", "Madrid"][number % 3]
        price = float(rng.integers(10, 50))
        rows.append(
            {
                "id": number,
                "city": city,
                "country": {"Paris": "France", "Berlin": "Germany", "Madrid": "Spain"}[city],
                "price": price,
                "sale_price": price - 3,
                "until": f"2026-{1 + number % 12:02d}-15",
            }
        )
    return ColumnSignals.fit(rows, today=date(2026, 12, 31))


GOOD = {
    "id": 7000,
    "city": "Paris",
    "country": "France",
    "price": 20,
    "sale_price": 17,
    "until": "2026-01-15",
}


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("city", None, "missing"),
        ("city", "N/A", "missing"),
        ("city", "Pairs", "near_frequent_value"),
        ("city", "Paxris", "rarest_trigram"),
        ("city", "PARIS9", "shape_rarity"),
        ("city", "  Paris ", "odd_characters"),
        ("country", "Spain", "dependency_violation"),
        ("price", "cheap", "not_a_number"),
        ("price", 99_000, "number_deviation"),
        ("price", 5, "order_violation"),
        ("until", "15 of May", "not_a_date"),
        ("until", "1998-01-01", "date_out_of_range"),
        ("until", "2031-01-01", "future"),
        ("id", 12, "value_rarity"),
    ],
)
def test_a_fault_raises_its_signal(
    shop: ColumnSignals, field: str, value: object, name: str
) -> None:
    sound = signal(shop, GOOD, field, name)
    faulty = signal(shop, {**GOOD, field: value}, field, name)
    if name == "value_rarity":
        assert faulty <= sound
    else:
        assert faulty > sound + 0.05


def test_some_single_signal_ranks_injected_slips_high(world: World) -> None:
    cells = world.signals.transform(world.records).cells
    for place in (2, 4):
        best = max(
            roc_auc_score(world.faulty[:, place], cells[:, place, k])
            for k in range(len(CELL_SIGNALS))
        )
        assert best > 0.95


def test_the_round_trip_through_json_is_exact(world: World) -> None:
    again = ColumnSignals.from_json(world.signals.to_json())
    first, second = world.signals.transform(world.records), again.transform(world.records)
    np.testing.assert_array_equal(first.cells, second.cells)
    np.testing.assert_array_equal(first.record, second.record)
    assert again.fingerprint() == world.signals.fingerprint()
    with pytest.raises(ArtifactCorrupt):
        ColumnSignals.from_json("{}")


def test_shapes_and_finiteness_hold_for_hostile_values(shop: ColumnSignals) -> None:
    hostile = [
        {"city": float("inf"), "price": "9" * 400, "until": "0000-00-00"},
        {"city": "\ud800", "price": "1e999", "until": "2026-13-45", "other": 3},
        {},
    ]
    found = shop.transform(hostile)
    assert found.record.shape == (3, len(RECORD_SIGNALS))
    assert found.cells.shape == (3, 6, len(CELL_SIGNALS))
    assert np.isfinite(found.cells).all()
    assert np.isfinite(found.record).all()
    assert shop.transform([]).cells.shape == (0, 6, len(CELL_SIGNALS))


def test_the_fit_reads_a_stream_once_and_can_be_cancelled() -> None:
    stream = ({"a": str(number % 7)} for number in range(3000))
    assert ColumnSignals.fit(stream).records == 3000
    with pytest.raises(NoLabels):
        ColumnSignals.fit([])
    with pytest.raises(Cancelled):
        ColumnSignals.fit(({"a": "x"} for _ in range(5000)), should_stop=lambda: True)


def test_repeated_records_are_counted() -> None:
    rows = [{"a": "x", "b": "1"}] * 3 + [{"a": "y", "b": "2"}]
    record = ColumnSignals.fit(rows).transform(rows).record
    place = RECORD_SIGNALS.index("duplicates")
    np.testing.assert_allclose(record[:, place], [np.log(3)] * 3 + [0.0])


@pytest.mark.parametrize("seed", range(3))
def test_near_values_equal_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcd"), size=rng.integers(3, 7))) for _ in range(400)]
    counts = Counter(words)
    for number, word in enumerate(list(counts)):
        counts[word] += (number * 37) % 23
    index = NearFrequent(counts, longest=20)
    frequent = {word: count for word, count in counts.items() if count >= 3}
    for word in list(counts)[:80]:
        near = [c for other, c in frequent.items() if other != word and one_slip(word, other)]
        found = index.nearest(word)
        if found is not None:
            assert two_slips_at_most(word, found[0])
        if near:
            assert found is not None
            assert found[1] >= max(near)


def one_slip(a: str, b: str) -> bool:
    """Insertion, deletion, substitution or swap of neighbours, by trying all."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) == 1:
        return any(b[:i] + b[i + 1 :] == a for i in range(len(b)))
    if len(a) != len(b):
        return False
    differ = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if len(differ) == 1:
        return True
    if len(differ) != 2 or differ[1] != differ[0] + 1:
        return False
    return a[differ[0]] == b[differ[1]] and a[differ[1]] == b[differ[0]]


def two_slips_at_most(a: str, b: str) -> bool:
    """One deletion in each makes them equal: at most an insertion and a deletion apart."""
    cut = [{w, *(w[:i] + w[i + 1 :] for i in range(len(w)))} for w in (a, b)]
    return bool(cut[0] & cut[1])


def test_values_are_read_as_people_mean_them() -> None:
    assert number_of("¥1,234.50") == 1234.5
    assert number_of("12ML") is None
    assert number_of("") is None
    assert day_of("11/30/2022") == day_of("2022-11-30") == date(2022, 11, 30).toordinal()
    assert day_of("11/302/022") is None
    assert text_of(3.0) == "3"
    assert text_of(float("nan")) == text_of(None) == text_of(" null ") == ""
    assert shape_of("Ab-12 中文") == "Aa-9 字"


@pytest.mark.parametrize("seed", range(3))
def test_dependencies_equal_counting_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = [str(value) for value in rng.integers(0, 25, 300)]
    second = [value[-1] if rng.random() < 0.9 else "?" for value in first]
    third = ["" if value in "12" else value for value in second]
    rows = list(zip(first, second, third, strict=True))
    wanted = {}
    for a, b in permutations(range(3), 2):
        groups = {key: Counter(row[b] for row in rows if row[a] == key) for key in set(first)}
        groups |= {key: Counter(row[b] for row in rows if row[a] == key) for key in set(second)}
        large = {key: of for key, of in groups.items() if key and of.total() >= 3}
        agreed = sum(of.most_common(1)[0][1] for of in large.values())
        covered = sum(of.total() for of in large.values())
        overall = Counter(row[b] for row in rows if row[a])
        constant = overall.most_common(1)[0][1] / overall.total()
        if agreed / covered >= max(0.75, constant + 0.3 * (1 - constant)):
            best = {key: (*of.most_common(1)[0], of.total()) for key, of in large.items()}
            wanted[a, b] = {
                key: (value, count / total)
                for key, (value, count, total) in best.items()
                if value and count / total >= 0.6
            }
    found = {(a, b): usual for a, b, usual in ColumnRelations.fit(rows, 3).dependencies}
    assert wanted
    assert found == wanted


def test_a_wide_table_is_related_in_seconds_and_can_be_cancelled() -> None:
    """Every column decides every other: 22,350 pairs."""
    rows = [[str(row * column % 5) for column in range(150)] for row in range(200)]
    began = perf_counter()
    relations = ColumnRelations.fit(rows, 150)
    assert perf_counter() - began < 20
    assert len(relations.dependencies) <= 24 * 150
    columns = [Coded.of([text]) for text in rows[3]]
    assert relations.signals(columns).shape == (1, 150, 3)
    with pytest.raises(Cancelled):
        ColumnRelations.fit(rows, 150, lambda: True)
