"""What people say of the labels that a classifier judges, as arrays."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.query_strategies.relabelling import Answers
from backend.consensus.service import ProjectLabels, probabilities_with
from backend.features.snapshot import LabelledRecord
from backend.loop.answers import RecordAnswers
from labeling.label_schema import LabelSchema


def probabilities_with_people(
    shown: ProjectLabels,
    schema: LabelSchema,
    labels: Sequence[LabelledRecord],
    classes: Sequence[str],
    probabilities: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n, classes) what the answers say of each label if these are the classifier's opinions.

    By the rule of the desk, so that no label is sure there and wrong here. NaN where a person
    decided, and where nothing tells how often people are right.
    """
    opinions = {
        label.task_id: dict(zip(classes, row, strict=True))
        for label, row in zip(labels, probabilities.tolist(), strict=True)
    }
    found = probabilities_with(shown, schema, opinions)
    unknown = dict.fromkeys(classes, np.nan)
    weighed = [
        found.get(label.task_id, unknown) if label.task_id not in shown.decisions else unknown
        for label in labels
    ]
    return np.array([[each.get(name, 0.0) for name in classes] for each in weighed])


def answers_matrix(
    classifier: RecordClassifier,
    labels: tuple[LabelledRecord, ...],
    held: Mapping[int, RecordAnswers],
) -> Answers:
    """(n, people) the grade that each person gave, -1 for none.

    Of people who are not known each record's first is one person, its second another, and so on.
    """
    places = {name: place for place, name in enumerate(classifier.classes)}
    given: dict[int, dict[int, int]] = {}
    for row, label in enumerate(labels):
        counted, strangers = set(label.annotation_ids), 0
        for answer in held[label.task_id].answers:
            strangers += answer.annotator_id is None
            if answer.id in counted and answer.grade in places:
                who = answer.annotator_id or -strangers
                given.setdefault(who, {})[row] = places[answer.grade]
    answers = np.full((len(labels), len(given)), -1, dtype=np.intp)
    for column, who in enumerate(sorted(given)):
        for row, code in given[who].items():
            answers[row, column] = code
    return answers
