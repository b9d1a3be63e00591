"""How well each annotator works, from everybody's answers and the decided records."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.agreement.answered import WorkFrame
from backend.agreement.changes import changes
from backend.agreement.questions import sentence
from backend.agreement.schemas import (
    DELETED,
    AnnotatorWork,
    ConfusionTable,
    RatePublic,
    Sentence,
    SuspiciousPattern,
    WorkDrift,
    WorkingSpeed,
)
from backend.projects.titles import with_titles
from backend.words import Message
from labeling.consensus.annotator_quality import (
    ENOUGH_GOLD,
    AnnotatorQuality,
    Confusion,
    annotator_quality,
)
from labeling.consensus.drift import Drift
from labeling.consensus.rates import Rate, rate
from labeling.consensus.suspicious import SuspiciousHabit, suspicions
from labeling.label_schema import LabelSchema
from labeling.words import Words

NO_CHECKS = Words("This annotator has answered no hidden check.")


def annotators_work(
    work: WorkFrame,
    gold: Mapping[int, str],
    skips: Mapping[int, int],
    schema: LabelSchema,
    seed: int,
) -> tuple[list[AnnotatorWork], dict[str, Sentence]]:
    """Everybody's work, who answered most first; and which patterns could not be looked for.

    People whom Label Studio no longer knows are one entry: how right they were can be told, not
    how any of them changed or what any of them always does.
    """
    rng = np.random.default_rng(seed)
    frame = work.frame
    found = annotator_quality(
        frame, rng, gold=gold, seconds=work.seconds, times=work.times, skips=skips
    )
    drifts = changes(found, frame, work.times, gold, rng)
    patterns = suspicions(
        frame,
        seconds=work.seconds,
        suggestions=work.suggestions,
        gold=gold,
    )
    named: dict[int, list[SuspiciousHabit]] = {}
    for each in patterns.found:
        named.setdefault(each.annotator, []).append(each)
    truth = np.array([gold.get(item, "") for item in frame.items.tolist()], dtype=np.str_)
    people = [
        _work(
            quality,
            None if person == DELETED else drifts[person],
            _checks(work, truth, person),
            skips.get(person, 0),
            schema,
            [] if person == DELETED else named.get(person, []),
        )
        for person, quality in found.items()
    ]
    people.sort(key=lambda each: (each.annotator_id == DELETED, -each.answers, each.annotator_id))
    return people, {
        name: Sentence(message=Message.of(words)) for name, words in patterns.not_checked.items()
    }


def _checks(work: WorkFrame, truth: NDArray[np.str_], person: int) -> Rate:
    rows = work.is_check & (work.frame.annotators == person) & (truth != "")
    return rate(int((work.frame.labels[rows] == truth[rows]).sum()), int(rows.sum()), NO_CHECKS)


def _work(
    quality: AnnotatorQuality,
    drift: Drift | None,
    checks: Rate,
    skips: int,
    schema: LabelSchema,
    named: Sequence[SuspiciousHabit],
) -> AnnotatorWork:
    speed = quality.speed
    return AnnotatorWork(
        annotator_id=quality.annotator,
        answers=quality.answers,
        skips=skips,
        against_gold=_share(quality.against_gold),
        hidden_checks=_share(checks),
        against_others=_share(quality.against_others),
        gold_confusion=_table(quality.gold_confusion, schema.grades),
        others_confusion=_table(quality.others_confusion, schema.grades),
        speed=WorkingSpeed(
            median=speed.median,
            low_quartile=speed.low_quartile,
            high_quartile=speed.high_quartile,
            answers=speed.answers,
            why=sentence(speed.why),
        ),
        skip_rate=_share(quality.skip_rate),
        drift=None if drift is None else _drift(quality, drift),
        suspicions=[
            SuspiciousPattern(
                pattern=each.pattern,
                p_value=each.p_value,
                evidence=Sentence(message=with_titles(each.evidence, schema)),
            )
            for each in named
        ],
    )


def _share(found: Rate) -> RatePublic:
    return RatePublic(
        value=found.value,
        low=found.low,
        high=found.high,
        right=found.right,
        of=found.of,
        why=sentence(found.why),
    )


def _drift(quality: AnnotatorQuality, found: Drift) -> WorkDrift:
    is_gold = quality.against_gold.of >= ENOUGH_GOLD
    return WorkDrift(
        windows=[_share(window) for window in found.windows],
        against="decided" if is_gold else "others",
        changed=found.changed,
        p_value=found.adjusted,
        words=Sentence(message=Message.of(found.words)),
    )


def _table(found: Confusion, grades: Sequence[str]) -> ConfusionTable:
    """In the order of the label schema; grades that it does not have any more come last."""
    others = [name for name in found.classes if name not in grades]
    classes = [*grades, *others]
    places = {name: place for place, name in enumerate(found.classes)}
    table = [
        [
            int(found.table[places[right], places[given]])
            if right in places and given in places
            else 0
            for given in classes
        ]
        for right in classes
    ]
    return ConfusionTable(classes=classes, table=table)
