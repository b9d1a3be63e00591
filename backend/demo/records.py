"""The seeded generator of demo records: e-commerce data with errors and known truth."""

from collections import deque
from collections.abc import Iterator
from datetime import date
from itertools import accumulate
from random import Random

from backend.demo.catalogue import FIELDS, FIELDS_OF_KIND, NOT_APPLICABLE, Catalogue, pick
from backend.demo.errors import FAULT_COUNT_WEIGHTS, INJECTORS, ISSUES_OF_KIND, RecordDraft
from backend.demo.truth import DemoRecord, Fault, Truth, grade_of
from backend.demo.vocabulary import load_vocabulary

TODAY = date(2026, 11, 1)
CHINESE_SHARE = 1 / 3
KIND_WEIGHTS: dict[str, float] = {
    "product": 0.30,
    "inventory": 0.20,
    "review": 0.27,
    "ad": 0.11,
    "behaviour": 0.12,
}
ID_PREFIXES = {
    "product": "PRD",
    "inventory": "INV",
    "review": "REV",
    "ad": "AD",
    "behaviour": "BEH",
}
DUPLICATE_WINDOW = 200

COLUMNS: tuple[str, ...] = ("record_id", "kind", *FIELDS)
"""Columns of a flat row."""


def generate(n: int, seed: int, *, today: date = TODAY) -> Iterator[DemoRecord]:
    """Yield ``n`` records with their truth, the same for the same seed, in constant memory.

    Kinds and languages are mixed at random: a prefix of the stream has the same make-up as the
    whole, and ``generate(n, seed)`` is a prefix of ``generate(m, seed)`` for n < m.

    Args:
        n: how many records.
        seed: of the one source of chance.
        today: the day on which the error-free records are current.
    """
    random = Random(seed)
    catalogue = Catalogue(random, today)
    vocabulary = load_vocabulary()
    kinds, kind_weights = tuple(KIND_WEIGHTS), list(accumulate(KIND_WEIGHTS.values()))
    good_until, one_until = FAULT_COUNT_WEIGHTS[0], sum(FAULT_COUNT_WEIGHTS[:2])
    seen: dict[str, deque[DemoRecord]] = {
        kind: deque(maxlen=DUPLICATE_WINDOW) for kind in FIELDS_OF_KIND
    }
    for number in range(1, n + 1):
        kind = random.choices(kinds, cum_weights=kind_weights)[0]
        words = vocabulary["zh" if random.random() < CHINESE_SHARE else "en"]
        category = pick(random, words.categories)
        record_id = f"{ID_PREFIXES[kind]}-{number:07d}"
        draft = RecordDraft(kind, catalogue.make(kind, words, category), words, category, catalogue)
        chance = random.random()
        count = 0 if chance < good_until else 1 if chance < one_until else 2
        record = _break_draft(record_id, draft, count, seen[kind])
        if not record.truth.issues:
            seen[kind].append(record)
        yield record


def _break_draft(
    record_id: str, draft: RecordDraft, count: int, seen: deque[DemoRecord]
) -> DemoRecord:
    """The draft with up to ``count`` errors of different issues."""
    faults: list[Fault] = []
    language: str = draft.words.language
    duplicate_of = None
    for issue in _issues(draft, count):
        if issue == "duplicate":
            if seen and not faults:
                original = pick(draft.random, seen)
                duplicate_of, language = original.record_id, original.language
                draft.fields = _near_copy(original.fields, draft)
                faults.append(Fault(issue))
                break  # a copy of a clean record keeps its one fault
            continue
        fault = INJECTORS[issue](draft)
        if fault is not None:
            faults.append(fault)
    corrected: dict[str, str] = {}
    for fault in faults:
        corrected.update(fault.corrected)
    truth = Truth(
        record_id=record_id,
        grade=grade_of(faults),
        issues=tuple(fault.issue for fault in faults),
        faulty_fields=tuple(corrected),
        corrected=corrected,
        duplicate_of=duplicate_of,
    )
    return DemoRecord(record_id, draft.kind, language, draft.fields, truth)


def _issues(draft: RecordDraft, count: int) -> list[str]:
    if count == 0:
        return []
    issues, weights = ISSUES_OF_KIND[draft.kind]
    drawn = draft.random.choices(issues, cum_weights=weights, k=count)
    return list(dict.fromkeys(drawn))


def _near_copy(fields: dict[str, str], draft: RecordDraft) -> dict[str, str]:
    """The same thing entered again: other case or a suffix in the title, another day."""
    copy = dict(fields)
    suffix = " (copy)" if draft.words.language == "en" else "（重复）"
    title = copy["title"]
    copy["title"] = pick(draft.random, (title.upper(), title + suffix, title.replace(" ", "  ")))
    copy["updated_at"] = draft.catalogue.recent_day()
    return copy


def flat_row(record: DemoRecord) -> dict[str, str]:
    """The record as one row of :data:`COLUMNS`.

    A field that its kind does not have says ``—``; an empty cell is a missing value.
    """
    row = {"record_id": record.record_id, "kind": record.kind}
    fields = record.fields
    for name in FIELDS:
        row[name] = fields.get(name, NOT_APPLICABLE)
    return row
