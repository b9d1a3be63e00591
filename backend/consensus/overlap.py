"""Adaptive overlap: which records get one more annotator, by the project's policy."""

from collections.abc import Mapping

import numpy as np

from backend.consensus.rule import grade_frame
from backend.loop.answers import RecordAnswers
from backend.projects.schemas import LoopPolicy
from labeling.consensus.answer_model import ClassProbabilities
from labeling.consensus.overlap import OverlapPlan, OverlapPolicy, plan_overlap
from labeling.label_schema import LabelSchema


def overlap_plan(
    held: Mapping[int, RecordAnswers],
    opinions: Mapping[int, Mapping[str, float]],
    schema: LabelSchema,
    policy: LoopPolicy,
) -> OverlapPlan:
    """What the policy wants of every record that was answered; items are first tasks' ids."""
    frame = grade_frame(held, schema)
    known = [place for place in np.unique(frame.items).tolist() if place in opinions]
    probabilities = ClassProbabilities(
        np.array(known, dtype=np.int64),
        tuple(schema.grades),
        np.array(
            [[opinions[place].get(grade, 0.0) for grade in schema.grades] for place in known]
        ).reshape(len(known), len(schema.grades)),
    )
    least = policy.annotators_per_record
    return plan_overlap(
        frame,
        OverlapPolicy(
            least=least,
            most=max(least, policy.annotators_at_most),
            confidence=policy.confidence_wanted,
        ),
        probabilities=probabilities if known else None,
        seed=policy.seed,
    )


def records_to_ask_about(
    held: Mapping[int, RecordAnswers], plan: OverlapPlan, policy: LoopPolicy
) -> dict[int, int]:
    """First task's id to the answers wanted now, where that is more than before.

    Only records whose task is in Label Studio can be asked about. Also where the plan is sure of
    a grade that nobody gave: a classifier never overrules people alone, somebody else is asked.
    """
    found = {}
    for place, decision in plan.items():
        answers = held[place]
        if answers.task.label_studio_task_id is None:
            continue
        is_against_all = decision.votes < plan.policy.most and decision.label not in {
            row.grade for row in answers.answers
        }
        wanted = answers.responses + 1
        if (decision.wanted or is_against_all) and wanted > answers.wanted(
            policy.annotators_per_record
        ):
            found[place] = wanted
    return found
