"""Numbers that a classifier reads of items: their own, similarity of pairs, words of texts."""

import csv
import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

NOT_READ = frozenset({"item", "truth", "label", "left_id", "right_id"})
Matrix = NDArray[np.float64]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Every row."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def item_features(rows: Sequence[dict[str, str]]) -> Matrix:
    """(n, columns): columns left_X and right_X are a pair, the others numbers or texts.

    Columns item, truth, label, left_id and right_id are not read.
    """
    names = [name for name in rows[0] if name not in NOT_READ]
    left = [name for name in names if name.startswith("left_")]
    right = [name for name in names if name.startswith("right_")]
    found = [
        _similarity([row[a] for row in rows], [row[b] for row in rows]) for a in left for b in right
    ]
    for name in (name for name in names if name not in {*left, *right}):
        values = [row[name] for row in rows]
        try:
            found.append(np.array(values, dtype=np.float64)[:, None])
        except ValueError:
            words = TfidfVectorizer(sublinear_tf=True).fit_transform(values)
            size = min(50, words.shape[1] - 1)
            found.append(TruncatedSVD(size, random_state=0).fit_transform(words))
    return np.nan_to_num(np.concatenate(found, axis=1))


def _similarity(left: list[str], right: list[str]) -> Matrix:
    """Words, letters, codes with digits, and numbers in common."""
    columns: list[Matrix] = []
    for analyzer, span in (("word", (1, 1)), ("char_wb", (3, 3))):
        maker = TfidfVectorizer(analyzer=analyzer, ngram_range=span, sublinear_tf=True, min_df=1)
        try:
            maker.fit([*left, *right])
        except ValueError:  # no words at all
            continue
        product = maker.transform(left).multiply(maker.transform(right))
        columns.append(np.asarray(product.sum(axis=1)).ravel())
    both = [(set(_words(a)), set(_words(b))) for a, b in zip(left, right, strict=True)]
    codes = [({w for w in a if _is_code(w)}, {w for w in b if _is_code(w)}) for a, b in both]
    for pairs in (both, codes):
        columns.append(np.array([len(a & b) / max(1, len(a | b)) for a, b in pairs]))
        columns.append(np.array([len(a & b) / max(1, min(len(a), len(b))) for a, b in pairs]))
        columns.append(np.array([float(bool(a and b) and not a & b) for a, b in pairs]))
    columns.append(np.array([float(_longest_code(a, b)) for a, b in codes]))
    columns.append(
        np.array([_ratio(a, b) for a, b in zip(left, right, strict=True)], dtype=np.float64)
    )
    return np.stack(columns, axis=1)


def _words(text: str) -> list[str]:
    return [
        word.replace("-", "").replace("/", "") for word in re.findall(r"[a-z0-9/-]+", text.lower())
    ]


def _is_code(word: str) -> bool:
    return len(word) >= 3 and any(letter.isdigit() for letter in word)


def _longest_code(left: set[str], right: set[str]) -> int:
    return max((len(a) for a in left for b in right if a in b or b in a), default=0)


def _ratio(left: str, right: str) -> float:
    """How far the texts' first numbers are apart, as a logarithm; -1 where one has none."""
    found = [re.search(r"\d[\d,]*\.?\d*", text) for text in (left, right)]
    numbers = [float(match[0].replace(",", "")) for match in found if match]
    if len(numbers) < 2 or min(numbers) <= 0:
        return -1.0
    return abs(float(np.log(numbers[0] / numbers[1])))
