"""What people who answered the same record disagree about: pure counting."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from active_learning.evaluation import wilson
from backend.guidelines.schemas import (
    Disagreement,
    DisagreementRate,
    DisagreementReport,
    Given,
    Rule,
    RuleInDoubt,
    SubjectKind,
)
from labeling.label_schema import LabelSchema

Subject = tuple[SubjectKind, str]


@dataclass
class PairCounts:
    """Pairs of answers to one record: of which one says a value, and of which only one does."""

    records: int = 0
    saying: Counter[Subject] = field(default_factory=Counter)
    differing: Counter[Subject] = field(default_factory=Counter)


def count_pairs(given: Iterable[Given], schema: LabelSchema) -> PairCounts:
    """Every pair of people who answered the same record, by what either of them said.

    Of what one person gave for a record the last counts (``given`` is in order of time). A skip
    is no answer. A grade, issue or field that the label schema does not have (any more) is not
    counted, and without a grade two people cannot differ about grades.
    """
    known: set[Subject] = {
        *(("grade", grade) for grade in schema.grades),
        *(("issue", issue) for issue in schema.issue_values),
        *(("field", name) for name in schema.fields),
    }
    by_record: dict[int, dict[int | str, Given]] = {}
    for each in given:
        by_record.setdefault(each.record, {})[each.who] = each
    counts = PairCounts()
    for people in by_record.values():
        said = [_subjects_of(answer) & known for answer in people.values() if not answer.is_skip]
        if len(said) < 2:
            continue
        counts.records += 1
        for one, other in combinations(said, 2):
            both = one | other
            if not (_has_grade(one) and _has_grade(other)):
                both = {subject for subject in both if subject[0] != "grade"}
            counts.saying.update(both)
            counts.differing.update(both & (one ^ other))
    return counts


def report(
    counts: PairCounts, schema: LabelSchema, rules: Sequence[Rule], decisions: Mapping[str, int]
) -> DisagreementReport:
    """The counts as a table, the surest disagreement (lower end of its interval) first.

    The intervals are Wilson's at 95 %. Pairs of one record are not independent where three
    people or more answered it, so there they are somewhat too narrow.
    """
    en, zh = schema.titles("en"), schema.titles("zh")
    subjects: list[tuple[Subject, str, str]] = [
        *((("grade", value), en.grade(value), zh.grade(value)) for value in schema.grades),
        *((("issue", value), en.issue(value), zh.issue(value)) for value in schema.issue_values),
        *((("field", name), name, name) for name in schema.fields if counts.saying["field", name]),
    ]
    items = [_disagreement(counts, *each, rules, decisions) for each in subjects]
    items.sort(key=lambda item: (-item.rate.low if item.rate else 1.0, -item.differing))
    names = [rule.name for rule in rules]
    names += [name for name in decisions if name not in names]
    return DisagreementReport(
        records=counts.records,
        items=items,
        rules=[RuleInDoubt(name=name, decisions=decisions.get(name, 0)) for name in names],
    )


def _disagreement(
    counts: PairCounts,
    subject: Subject,
    title: str,
    title_zh: str,
    rules: Sequence[Rule],
    decisions: Mapping[str, int],
) -> Disagreement:
    kind, value = subject
    pairs, differing = counts.saying[subject], counts.differing[subject]
    estimate = wilson(differing, pairs) if pairs else None
    return Disagreement(
        kind=kind,
        value=value,
        title=title,
        title_zh=title_zh,
        pairs=pairs,
        differing=differing,
        rate=DisagreementRate(value=estimate.value, low=estimate.low, high=estimate.high)
        if estimate
        else None,
        rules=[
            RuleInDoubt(name=rule.name, decisions=decisions.get(rule.name, 0))
            for rule in rules
            if rule.about == value
        ],
    )


def _subjects_of(answer: Given) -> set[Subject]:
    said: set[Subject] = {("issue", issue) for issue in answer.issues}
    said |= {("field", name) for name in answer.faulty_fields}
    if answer.grade is not None:
        said.add(("grade", answer.grade))
    return said


def _has_grade(said: set[Subject]) -> bool:
    return any(kind == "grade" for kind, _ in said)
