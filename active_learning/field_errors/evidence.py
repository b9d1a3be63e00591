"""What speaks against a value, in words for the person who decides."""

from collections.abc import Callable
from dataclasses import dataclass

from active_learning.columns.profile import ColumnProfile
from active_learning.columns.signals import ColumnSignals
from active_learning.columns.value_parsing import (
    TEXT_LIMIT,
    day_of,
    is_missing_word,
    number_of,
    odd_characters,
    shape_of,
    text_of,
    tokens_of,
)
from active_learning.types import Fields, Reason

RARE = 0.005
"""Share of a column below which a shape or character is called rare. Chosen."""
MOSTLY = 0.8
"""Share from which a column is said to be of a kind. Chosen: one value in five may be wrong."""
FAR = 6.0
"""Spreads from the median beyond which a number is called far. Chosen: two in a billion of a
normal column are."""
RESEMBLES, MARKED = "resembles_marked", "marked"
"""Evidence that rests on marks, not on one signal."""
SHOWN = 40
"""Characters of a value that a sentence shows. Chosen: it stays a sentence."""


@dataclass(frozen=True)
class FieldEvidence:
    """One finding against a value."""

    signal: str
    """The cell signal that it puts into words."""
    reason: Reason
    expected: str | None = None
    """The value that the finding points to, where it points to one."""


def evidence_of(signals: ColumnSignals, record: Fields, field: str) -> list[FieldEvidence]:
    """Findings against this field, those that name another value first."""
    place = signals.fields.index(field)
    profile = signals.profiles[place]
    value = record.get(field)
    text = text_of(value)
    if not text:
        return _of_missing(field, profile, value) + _of_relations(signals, record, place)
    findings: list[Callable[[], list[FieldEvidence]]] = [
        lambda: _of_near_value(profile, text),
        lambda: _of_relations(signals, record, place),
        lambda: _of_near_token(profile, text),
        lambda: _of_number(field, profile, text),
        lambda: _of_day(field, profile, text),
        lambda: _of_damage(field, profile, text),
        lambda: _of_shape(field, profile, text),
        lambda: _of_key(field, profile, text),
    ]
    return [found for look in findings for found in look()]


def resemblance_evidence(field: str, value: object) -> FieldEvidence:
    """Nothing but the likeness to a value that people marked."""
    text = text_of(value)
    reason = Reason(
        "resembles '{value}', which was marked as wrong in {field}",
        value=_short(text),
        field=field,
    )
    return FieldEvidence(RESEMBLES, reason)


def marked_evidence() -> FieldEvidence:
    """The value itself was marked."""
    return FieldEvidence(MARKED, Reason("was marked as wrong"))


def _of_missing(field: str, profile: ColumnProfile, value: object) -> list[FieldEvidence]:
    share = profile.missing / max(profile.rows, 1)
    if is_missing_word(value):
        reason = Reason(
            "'{value}' stands for a missing value in {field}", value=str(value), field=field
        )
        return [FieldEvidence("missing_word", reason)]
    if share > 1 - MOSTLY:
        return []
    reason = Reason(
        "{field} is empty; {share:.0f} % of the records have a value",
        field=field,
        share=100 * (1 - share),
    )
    return [FieldEvidence("missing", reason)]


def _of_near_value(profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    found = profile.near_value(text)
    if found is None:
        return []
    other, count = found
    reason = Reason.ngettext(
        "'{value}' is one letter from '{other}' ({n:,} record)",
        "'{value}' is one letter from '{other}' ({n:,} records)",
        n=count,
        value=_short(text),
        other=_short(other),
    )
    return [FieldEvidence("near_frequent_value", reason, other)]


def _of_near_token(profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    best: tuple[int, str, str] | None = None
    for token in tokens_of(text):
        found = profile.near_token(token)
        if found is not None and (best is None or found[1] > best[0]):
            best = (found[1], token, found[0])
    if best is None:
        return []
    count, token, other = best
    reason = Reason.ngettext(
        "the word '{word}' is one letter from '{other}' ({n:,} record)",
        "the word '{word}' is one letter from '{other}' ({n:,} records)",
        n=count,
        word=_short(token),
        other=_short(other),
    )
    return [FieldEvidence("near_frequent_token", reason)]


def _of_relations(signals: ColumnSignals, record: Fields, place: int) -> list[FieldEvidence]:
    texts = [text_of(record.get(name)) for name in signals.fields]
    field = signals.fields[place]
    out = []
    broken = signals.relations.broken_dependencies(texts, place)
    for by, usual, share in sorted(broken, key=lambda found: -found[2])[:2]:
        reason = Reason(
            "{field} does not fit {other} {key}: {share:.0f} % have '{usual}'",
            field=field,
            other=signals.fields[by],
            key=_short(texts[by]),
            share=100 * share,
            usual=_short(usual),
        )
        out.append(FieldEvidence("dependency_violation", reason, usual))
    for larger, smaller in signals.relations.broken_orders(texts, place):
        reason = Reason(
            "{high_field} {high} is below {low_field} {low}; elsewhere it hardly ever is",
            high_field=signals.fields[larger],
            high=_short(texts[larger]),
            low_field=signals.fields[smaller],
            low=_short(texts[smaller]),
        )
        out.append(FieldEvidence("order_violation", reason))
    return out


def _of_number(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    number = number_of(text)
    if number is None and profile.numeric_share > MOSTLY:
        reason = Reason(
            "'{value}' is not a number; {share:.0f} % of {field} are",
            value=_short(text),
            share=100 * profile.numeric_share,
            field=field,
        )
        return [FieldEvidence("not_a_number", reason)]
    median, spread = profile.number_range
    if number is None or profile.numeric_share <= MOSTLY or abs(number - median) <= FAR * spread:
        return []
    reason = Reason(
        "{value} is far from what is usual in {field} ({median:g}, spread {spread:.3g})",
        value=_short(text),
        field=field,
        median=median,
        spread=spread,
    )
    return [FieldEvidence("number_deviation", reason)]


def _of_day(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    if profile.date_share <= MOSTLY:
        return []
    day = day_of(text)
    low, high, today = profile.day_range
    if day is None:
        reason = Reason(
            "'{value}' is not a date; {share:.0f} % of {field} are",
            value=_short(text),
            share=100 * profile.date_share,
            field=field,
        )
        return [FieldEvidence("not_a_date", reason)]
    if day > today:
        return [FieldEvidence("future", Reason("{value} lies in the future", value=_short(text)))]
    margin = max(high - low, 30.0)
    if low - margin <= day <= high + margin:
        return []
    reason = Reason("{value} lies far outside the days of {field}", value=_short(text), field=field)
    return [FieldEvidence("date_out_of_range", reason)]


def _of_damage(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    out = []
    if odd_characters(text) > 0:
        reason = Reason("'{value}' has stray spaces or damaged characters", value=_short(text))
        out.append(FieldEvidence("odd_characters", reason))
    counts = {c: profile.characters.get(c, 1) for c in dict.fromkeys(text[:TEXT_LIMIT])}
    rarest = min(counts, key=counts.__getitem__)
    present = max(profile.rows - profile.missing, 1)
    if counts[rarest] <= max(RARE * present, 1) and present >= 20 and not rarest.isspace():
        reason = Reason(
            "the character '{character}' hardly occurs in {field} ({times})",
            character=rarest,
            field=field,
            times=_times(counts[rarest], present),
        )
        out.append(FieldEvidence("rarest_character", reason))
    return out


def _of_shape(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    present = max(profile.rows - profile.missing, 1)
    count = profile.shapes.get(shape_of(text), 1)
    if not profile.shapes or count > max(RARE * present, 1) or present < 20:
        return []
    usual = max(profile.shapes, key=profile.shapes.__getitem__)
    if profile.shapes[usual] < 0.3 * present:
        return []
    reason = Reason(
        "'{value}' is written unlike the rest of {field} ({times}; {share:.0f} % look like "
        "'{usual}')",
        value=_short(text),
        field=field,
        times=_times(count, present),
        share=100 * profile.shapes[usual] / present,
        usual=_short(usual),
    )
    return [FieldEvidence("shape_rarity", reason)]


def _of_key(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    count = profile.values.get(text, 1)
    if count < 2 or profile.distinct <= 0.9 * (profile.rows - profile.missing):
        return []
    reason = Reason(
        "'{value}' occurs {times} times, though {field} hardly ever repeats",
        value=_short(text),
        times=count,
        field=field,
    )
    return [FieldEvidence("repeated_key", reason)]


def _times(count: int, present: int) -> Reason:
    return Reason("{count:,} of {present:,} records", count=count, present=present)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
