"""Hidden gold records: never twice to the same person, every class, the asked share."""

from collections import Counter

import pytest

from labeling.consensus.gold_records import choose_gold
from tests.fixtures.chinese import in_chinese

GOLD = {item: "abc"[item % 3] if item < 90 else "rare" for item in range(100)}


def test_the_share_is_that_of_the_mixed_batch() -> None:
    choice = choose_gold(GOLD, {1: 90, 2: 45, 3: 0}, seen={}, share=0.1)
    assert {person: len(items) for person, items in choice.chosen.items()} == {1: 10, 2: 5, 3: 0}
    assert not choice.short


def test_nobody_sees_a_gold_record_twice() -> None:
    seen: dict[int, set[int]] = {1: set(), 2: {5, 6, 7}}
    given: Counter[tuple[int, int]] = Counter()
    for batch in range(20):
        choice = choose_gold(GOLD, {1: 63, 2: 63}, seen=seen, share=0.1, seed=batch)
        for person, items in choice.chosen.items():
            assert not seen[person] & set(items)
            seen[person] |= set(items)
            given.update((person, item) for item in items)
    assert max(given.values()) == 1
    assert len(seen[1]) == len(seen[2]) == 100
    assert "0 of 100" in str(choice.short[1])
    assert in_chinese(choice.short[1])


def test_every_class_comes_as_often_as_can_be() -> None:
    choice = choose_gold(GOLD, {1: 180}, seen={1: set()}, share=0.1)
    counts = Counter(GOLD[item] for item in choice.chosen[1])
    assert sorted(counts.values()) == [5, 5, 5, 5]
    more = choose_gold(GOLD, {1: 180}, seen={1: set(choice.chosen[1])}, share=0.1, seed=1)
    assert set(Counter(GOLD[item] for item in more.chosen[1]).values()) == {5}


def test_a_seed_repeats_the_choice_whoever_else_is_asked() -> None:
    alone = choose_gold(GOLD, {7: 90}, seen={}, seed=3).chosen[7]
    assert alone == choose_gold(GOLD, {2: 50, 7: 90}, seen={}, seed=3).chosen[7]
    assert alone != choose_gold(GOLD, {7: 90}, seen={}, seed=4).chosen[7]
    usual = choose_gold(GOLD, {7: 90}, seen={})
    assert usual == choose_gold(GOLD, {7: 90}, seen={}, share=0.1, seed=0)


def test_without_gold_it_says_so() -> None:
    choice = choose_gold({}, {1: 50}, seen={})
    assert choice.chosen == {1: ()}
    assert "no gold records" in str(choice.short[1])
    assert choose_gold({}, {}, seen={}).chosen == {}


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        choose_gold(GOLD, {1: 5}, seen={}, share=1.0)
    with pytest.raises(ValueError, match="annotator 1"):
        choose_gold(GOLD, {1: -5}, seen={})
