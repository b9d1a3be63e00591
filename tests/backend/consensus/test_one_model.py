"""Desk, training and overlap read the same consensus of the same answers."""

import numpy as np
import pytest

from backend.consensus.overlap import overlap_plan
from backend.consensus.rule import consensus_of, fit_grades
from backend.consensus.service import ProjectLabels
from backend.features.snapshot import build_snapshot
from backend.loop.repository import Learnt
from backend.projects.schemas import LoopPolicy
from labeling.label_schema import LabelSchema
from tests.backend.features.test_snapshot import said, task
from tests.backend.held import held_of

SCHEMA = LabelSchema.default(["title", "price"])
GRADES = ("good", "fair", "poor")
POLICY = LoopPolicy(annotators_per_record=1, annotators_at_most=3, overlap="adaptive")


@pytest.mark.parametrize("records", [6, 40, 150])
@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("has_classifier", [False, True])
def test_every_record_has_one_label_and_one_probability(
    records: int, most: int, has_classifier: bool
) -> None:
    rng = np.random.default_rng([records, most])
    tasks = [task(n) for n in range(1, records + 1)]
    truth = rng.integers(0, 3, records + 1)
    answers = [
        said(n, who, GRADES[truth[n] if rng.random() < 0.8 else rng.integers(0, 3)])
        for n in range(1, records + 1)
        for who in rng.permutation(4)[: int(rng.integers(0, most + 1))].tolist()
    ]
    opinions = {
        n: dict(zip(GRADES, rng.dirichlet(1 + 4 * np.eye(3)[truth[n]]).tolist(), strict=True))
        for n in range(1, records + 1)
        if has_classifier and n % 5
    }
    held = held_of(tasks, answers)
    model = fit_grades(held, opinions, SCHEMA)
    sure = POLICY.confidence_wanted
    desk = consensus_of(held, opinions, SCHEMA, annotators_per_record=1, sure=sure, model=model)
    plan = overlap_plan(held, opinions, SCHEMA, POLICY, model)
    assert set(plan) == {n for n, each in desk.items() if each.votes}
    for n, decision in plan.items():
        assert (decision.label, decision.confidence) == (desk[n].grade, desk[n].confidence)
    for each in desk.values():
        if each.grade is not None and each.confidence is not None:
            assert each.confidence == each.probabilities[each.grade]
    one = consensus_of(
        {n: held[n] for n in list(held)[:3]},
        opinions,
        SCHEMA,
        annotators_per_record=1,
        sure=sure,
        model=model,
    )
    for n, each in one.items():
        assert each.grade == desk[n].grade
        assert each.probabilities == pytest.approx(desk[n].probabilities, abs=1e-12)
    labels = ProjectLabels(held, desk, {}, {}, {}, model, 1, Learnt())
    snapshot = build_snapshot(labels, SCHEMA, seed=0)
    learnt = {label.task_id: label.grade for label in (*snapshot.training, *snapshot.audit)}
    assert learnt == {
        n: each.grade for n, each in desk.items() if each.grade is not None and each.is_complete
    }
