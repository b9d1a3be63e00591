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
        f"resembles {_quote(text)}, which was marked as wrong in {field}",
        f"与 {field} 中已标为错误的“{_short(text)}”相似",
    )
    return FieldEvidence(RESEMBLES, reason)


def marked_evidence() -> FieldEvidence:
    """The value itself was marked."""
    return FieldEvidence(MARKED, Reason("was marked as wrong", "已被标为错误"))


def _of_missing(field: str, profile: ColumnProfile, value: object) -> list[FieldEvidence]:
    share = profile.missing / max(profile.rows, 1)
    if is_missing_word(value):
        reason = Reason(
            f"'{value}' stands for a missing value in {field}",
            f"{field} 用“{value}”表示缺失",
        )
        return [FieldEvidence("missing_word", reason)]
    if share > 1 - MOSTLY:
        return []
    reason = Reason(
        f"{field} is empty; {_percent(1 - share)} of the records have a value",
        f"{field} 为空；{_percent(1 - share)} 的记录有值",
    )
    return [FieldEvidence("missing", reason)]


def _of_near_value(profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    found = profile.near_value(text)
    if found is None:
        return []
    other, count = found
    reason = Reason(
        f"{_quote(text)} is one letter from {_quote(other)} ({count:,} records)",
        f"“{_short(text)}”与“{_short(other)}”（{count:,} 条记录）只差一个字符",
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
    reason = Reason(
        f"the word {_quote(token)} is one letter from {_quote(other)} ({count:,} records)",
        f"单词“{token}”与“{other}”（{count:,} 条记录）只差一个字符",
    )
    return [FieldEvidence("near_frequent_token", reason)]


def _of_relations(signals: ColumnSignals, record: Fields, place: int) -> list[FieldEvidence]:
    texts = [text_of(record.get(name)) for name in signals.fields]
    field = signals.fields[place]
    out = []
    broken = signals.relations.broken_dependencies(texts, place)
    for by, usual, share in sorted(broken, key=lambda found: -found[2])[:2]:
        other, key = signals.fields[by], _short(texts[by])
        reason = Reason(
            f"{field} does not fit {other} {key}: {_percent(share)} have {_quote(usual)}",
            f"{field} 与 {other} {key} 不符：{_percent(share)} 为“{_short(usual)}”",
        )
        out.append(FieldEvidence("dependency_violation", reason, usual))
    for larger, smaller in signals.relations.broken_orders(texts, place):
        high, low = signals.fields[larger], signals.fields[smaller]
        reason = Reason(
            f"{high} {_short(texts[larger])} is below {low} {_short(texts[smaller])}; "
            f"elsewhere it hardly ever is",
            f"{high} {_short(texts[larger])} 小于 {low} {_short(texts[smaller])}，"
            f"其他记录几乎从不如此",
        )
        out.append(FieldEvidence("order_violation", reason))
    return out


def _of_number(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    number = number_of(text)
    if number is None and profile.numeric_share > MOSTLY:
        share = _percent(profile.numeric_share)
        reason = Reason(
            f"{_quote(text)} is not a number; {share} of {field} are",
            f"“{_short(text)}”不是数字；{field} 中 {share} 是数字",
        )
        return [FieldEvidence("not_a_number", reason)]
    median, spread = profile.number_range
    if number is None or profile.numeric_share <= MOSTLY or abs(number - median) <= FAR * spread:
        return []
    reason = Reason(
        f"{_short(text)} is far from what is usual in {field} ({median:g}, spread {spread:.3g})",
        f"{_short(text)} 远离 {field} 的常见值（{median:g}，离散度 {spread:.3g}）",
    )
    return [FieldEvidence("number_deviation", reason)]


def _of_day(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    if profile.date_share <= MOSTLY:
        return []
    day = day_of(text)
    low, high, today = profile.day_range
    share = _percent(profile.date_share)
    if day is None:
        english = f"{_quote(text)} is not a date; {share} of {field} are"
        chinese = f"“{_short(text)}”不是日期；{field} 中 {share} 是日期"
        return [FieldEvidence("not_a_date", Reason(english, chinese))]
    if day > today:
        english, chinese = f"{_short(text)} lies in the future", f"{_short(text)} 在未来"
        return [FieldEvidence("future", Reason(english, chinese))]
    margin = max(high - low, 30.0)
    if low - margin <= day <= high + margin:
        return []
    english = f"{_short(text)} lies far outside the days of {field}"
    return [
        FieldEvidence(
            "date_out_of_range", Reason(english, f"{_short(text)} 远在 {field} 的日期范围之外")
        )
    ]


def _of_damage(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    out = []
    if odd_characters(text) > 0:
        reason = Reason(
            f"{_quote(text)} has stray spaces or damaged characters",
            f"“{_short(text)}”含多余空格或乱码",
        )
        out.append(FieldEvidence("odd_characters", reason))
    counts = {c: profile.characters.get(c, 1) for c in dict.fromkeys(text[:TEXT_LIMIT])}
    rarest = min(counts, key=counts.__getitem__)
    present = max(profile.rows - profile.missing, 1)
    if counts[rarest] <= max(RARE * present, 1) and present >= 20 and not rarest.isspace():
        times = _times(counts[rarest], present)
        reason = Reason(
            f"the character '{rarest}' hardly occurs in {field} ({times[0]})",
            f"字符“{rarest}”在 {field} 中很少出现（{times[1]}）",
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
    times = _times(count, present)
    reason = Reason(
        f"{_quote(text)} is written unlike the rest of {field} ({times[0]}; "
        f"{_percent(profile.shapes[usual] / present)} look like '{_short(usual)}')",
        f"“{_short(text)}”的写法与 {field} 其他值不同（{times[1]}；"
        f"{_percent(profile.shapes[usual] / present)} 形如“{_short(usual)}”）",
    )
    return [FieldEvidence("shape_rarity", reason)]


def _of_key(field: str, profile: ColumnProfile, text: str) -> list[FieldEvidence]:
    count = profile.values.get(text, 1)
    if count < 2 or profile.distinct <= 0.9 * (profile.rows - profile.missing):
        return []
    reason = Reason(
        f"{_quote(text)} occurs {count} times, though {field} hardly ever repeats",
        f"“{_short(text)}”出现 {count} 次，而 {field} 几乎从不重复",
    )
    return [FieldEvidence("repeated_key", reason)]


def _times(count: int, present: int) -> tuple[str, str]:
    return f"{count:,} of {present:,} records", f"{present:,} 条记录中 {count:,} 条"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _quote(text: str) -> str:
    return f"'{_short(text)}'"
