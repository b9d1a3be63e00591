"""Decided records that resemble one: precedents for the person who decides."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

NGRAMS = (2, 4)
"""Characters of a piece. Chosen: short enough for Chinese words, most of which have two."""
FEATURES = 2**18
"""Chosen: pieces of a few hundred texts hardly collide among so many."""
LEAST = 0.1
"""Cosine below which records have nothing to do with each other. Chosen."""


def most_similar(text: str, others: Sequence[str], count: int) -> list[tuple[int, float]]:
    """(place, cosine) of the ``count`` texts that share most character n-grams, best first.

    Works for any language and without a classifier; texts with next to nothing in common are
    left out.
    """
    if not others or count < 1:
        return []
    vectorizer = HashingVectorizer(
        analyzer="char_wb", ngram_range=NGRAMS, n_features=FEATURES, alternate_sign=False
    )
    table = vectorizer.transform([text, *others])
    cosines = (table[1:] @ table[0].T).toarray()[:, 0]
    order = np.argsort(-cosines, kind="stable")[:count]
    return [(int(place), float(cosines[place])) for place in order if cosines[place] >= LEAST]
