"""A project's verdicts as a table in memory: filtered, ordered, counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.types import Positions
from active_learning.verdicts.verdict_files import VerdictFiles
from backend.scoring.schemas import FacetValue, HistogramBar
from backend.scoring.verdict_filter import VerdictFilter
from backend.scoring.verdict_labels import NO_LABEL, SOURCES, VerdictLabels

BARS = 20
"""Of a histogram of probabilities: five per cent each."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class VerdictTable:
    """Verdicts of n records with what counts beside them."""

    verdicts: VerdictFiles
    labels: VerdictLabels

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def disagreements(self) -> Mask:
        """(n,) whether people gave another grade than the verdict."""
        return self.labels.disagree(self.verdicts.grades)

    def matches(self, wanted: VerdictFilter) -> Mask:
        """(n,) the records of which all holds that their verdict and label can tell.

        Names that the verdicts do not know match nothing.
        """
        mask = np.ones(len(self), dtype=np.bool_)
        for part in (*self._by_choice(wanted), *self._by_figure(wanted)):
            mask &= part
        return mask

    def _by_choice(self, wanted: VerdictFilter) -> Iterator[Mask]:
        facts = self.verdicts.facts
        if wanted.grade:
            yield np.isin(self.verdicts.grades, _codes(wanted.grade, facts.grades))
        if wanted.label:
            yield np.isin(self.labels.grades, _codes(wanted.label, facts.grades))
        if wanted.source:
            yield np.isin(self.labels.sources, [SOURCES.index(each) for each in wanted.source])
        if wanted.issue:
            yield self._any(wanted.issue, facts.issues, self.verdicts.has_issue)
        if wanted.faulty_field:
            yield self._any(wanted.faulty_field, facts.fields, self.verdicts.is_faulty)
        if wanted.disagreement is not None:
            yield self.disagreements == wanted.disagreement
        if wanted.record_id:
            yield self.of_records(np.array(wanted.record_id, dtype=np.int64))

    def _by_figure(self, wanted: VerdictFilter) -> Iterator[Mask]:
        for values, low, high in (
            (self.verdicts.confidence, wanted.confidence_from, wanted.confidence_to),
            (self.verdicts.risk, wanted.risk_from, wanted.risk_to),
        ):
            if low > 0:
                yield values >= np.float32(low)
            if high < 1:
                yield values <= np.float32(high)

    def of_records(self, record_ids: NDArray[np.int64]) -> Mask:
        """(n,) whether it is one of these (m,) records."""
        mask = np.zeros(len(self), dtype=np.bool_)
        places = self.verdicts.positions(record_ids)
        mask[places[places >= 0]] = True
        return mask

    def key(self, by: str) -> NDArray[np.float32] | NDArray[np.int64] | None:
        """(n,) what the order compares; None where it is no figure of the verdicts."""
        match by:
            case "risk":
                return self.verdicts.risk
            case "doubt":
                return self.verdicts.doubt
            case "confidence":
                return self.verdicts.confidence
            case "id":
                return self.verdicts.record_ids
        return None

    def grade_counts(self, mask: Mask) -> list[FacetValue]:
        """Verdicts of the chosen records (n,) by grade, in the schema's order."""
        grades = self.verdicts.facts.grades
        found = np.bincount(self.verdicts.grades[mask], minlength=len(grades))
        return _facets(grades, found)

    def label_counts(self, mask: Mask) -> list[FacetValue]:
        """Labels that count of the chosen records (n,) by grade."""
        grades = self.verdicts.facts.grades
        given = self.labels.grades[mask]
        found = np.bincount(given[given != NO_LABEL], minlength=len(grades))
        return _facets(grades, found)

    def source_counts(self, mask: Mask) -> list[FacetValue]:
        """The chosen records (n,) by what counts for them."""
        return _facets(SOURCES, np.bincount(self.labels.sources[mask], minlength=len(SOURCES)))

    def issue_counts(self, mask: Mask) -> list[FacetValue]:
        """How many of the chosen records (n,) more probably have each issue than not."""
        return self._mark_counts(mask, self.verdicts.facts.issues, self.verdicts.has_issue)

    def faulty_field_counts(self, mask: Mask) -> list[FacetValue]:
        """In how many of the chosen records (n,) each field is more probably faulty than not."""
        return self._mark_counts(mask, self.verdicts.facts.fields, self.verdicts.is_faulty)

    def histogram(self, values: NDArray[np.float32], mask: Mask) -> list[HistogramBar]:
        """The chosen ones of n probabilities in bars of five per cent; the last holds 1 itself."""
        chosen = np.minimum((values[mask] * BARS).astype(np.intp), BARS - 1)
        counts = np.bincount(chosen, minlength=BARS)
        return [
            HistogramBar(low=bar / BARS, high=(bar + 1) / BARS, count=count)
            for bar, count in enumerate(counts.tolist())
        ]

    def _any(
        self, wanted: Sequence[str], names: Sequence[str], marked: Callable[[str], Mask]
    ) -> Mask:
        mask = np.zeros(len(self), dtype=np.bool_)
        for name in wanted:
            if name in names:
                mask |= marked(name)
        return mask

    def _mark_counts(
        self, mask: Mask, names: Sequence[str], marked: Callable[[str], Mask]
    ) -> list[FacetValue]:
        counts = [int(np.count_nonzero(marked(name) & mask)) for name in names]
        return _facets(names, np.array(counts, dtype=np.intp))


def first_places(
    key: NDArray[np.generic], mask: Mask, *, smallest_first: bool, offset: int, limit: int
) -> Positions:
    """(at most limit,) places of the chosen records in the order of ``key`` (n,), after ``offset``.

    Equal ones come by place. NaN comes last either way.
    """
    places = np.flatnonzero(mask)
    values = np.asarray(key[places])
    if np.issubdtype(values.dtype, np.floating):
        values = np.nan_to_num(values, nan=np.inf if smallest_first else -np.inf)
    if not smallest_first:
        values = -values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
    wanted = offset + limit
    if wanted < len(values):
        border = np.partition(values, wanted - 1)[wanted - 1] if wanted else values.min()
        near = np.flatnonzero(values <= border)
        places, values = places[near], values[near]
    order = np.argsort(values, kind="stable")[offset:wanted]
    found: Positions = places[order]
    return found


def _codes(wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    return [names.index(name) for name in wanted if name in names]


def _facets(names: Sequence[str], counts: NDArray[np.intp]) -> list[FacetValue]:
    return [
        FacetValue(value=name, count=count)
        for name, count in zip(names, counts.tolist(), strict=True)
    ]
