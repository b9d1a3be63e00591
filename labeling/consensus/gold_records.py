"""Hidden gold records: which ones are mixed into each annotator's next batch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.words import Words


@dataclass(frozen=True)
class GoldChoice:
    """Annotator to the gold records of his next batch, in the order drawn.

    ``short`` says for whom fewer than wanted were left, and why.
    """

    chosen: dict[int, tuple[int, ...]]
    short: dict[int, Words]


def choose_gold(
    gold: Mapping[int, str],
    batches: Mapping[int, int],
    *,
    seen: Mapping[int, Collection[int]],
    share: float = 0.1,
    seed: int = 0,
) -> GoldChoice:
    """Draw for each annotator gold records he has not seen, every class as often as can be.

    Args:
        gold: item to right answer.
        batches: annotator to the number of other records in his next batch.
        seen: annotator to every item he has answered, skipped or been shown, gold or not; an
            annotator without an entry has seen nothing.
        share: of the mixed batch that is gold, rounded to the nearest number.
        seed: the same arguments give the same choice, whoever else is asked.

    Raises:
        ValueError: share is not at least 0 and below 1, or a batch is negative.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share={share}: must be at least 0 and below 1")
    chosen: dict[int, tuple[int, ...]] = {}
    short: dict[int, Words] = {}
    for annotator, records in batches.items():
        if records < 0:
            raise ValueError(f"the batch of annotator {annotator} has {records} records")
        wanted = round(records * share / (1 - share))
        known = set(seen.get(annotator, ()))
        unseen = sorted(item for item in gold if item not in known)
        rng = np.random.default_rng([seed, annotator])
        chosen[annotator] = tuple(_draw_balanced(unseen, gold, known, wanted, rng))
        if len(chosen[annotator]) < wanted:
            short[annotator] = _shortage(len(gold), len(unseen), wanted)
    return GoldChoice(chosen, short)


def _draw_balanced(
    unseen: Sequence[int],
    gold: Mapping[int, str],
    seen: Collection[int],
    wanted: int,
    rng: np.random.Generator,
) -> list[int]:
    """Always from the class this annotator has been asked least, at random within it."""
    left: dict[str, list[int]] = {}
    for item in rng.permutation(np.array(unseen, dtype=np.int64)).tolist():
        left.setdefault(gold[item], []).append(item)
    asked = dict.fromkeys(left, 0)
    for item in seen:
        if gold.get(item) in asked:
            asked[gold[item]] += 1
    drawn: list[int] = []
    order = {name: place for place, name in enumerate(rng.permutation(sorted(left)).tolist())}
    while left and len(drawn) < wanted:
        name = min(left, key=lambda one: (asked[one], order[one]))
        drawn.append(left[name].pop())
        asked[name] += 1
        if not left[name]:
            del left[name]
    return [drawn[place] for place in rng.permutation(len(drawn))]


def _shortage(gold: int, unseen: int, wanted: int) -> Words:
    if not gold:
        return Words("There are no gold records yet: decide review cases first.")
    return Words(
        "{wanted} gold records wanted, {unseen} of {gold} not seen yet by this annotator.",
        wanted=wanted,
        unseen=unseen,
        gold=gold,
    )
