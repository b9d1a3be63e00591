"""Adaptive overlap: which records get one more annotator, by the project's policy."""

from collections.abc import Mapping

from backend.consensus.rule import classifier_priors, fit_grades, weigh_grades
from backend.loop.answers import RecordAnswers
from backend.projects.schemas import LoopPolicy
from labeling.consensus.consensus_model import ConsensusModel
from labeling.consensus.overlap import OverlapPlan, OverlapPolicy, plan_overlap
from labeling.label_schema import LabelSchema


def overlap_plan(
    held: Mapping[int, RecordAnswers],
    opinions: Mapping[int, Mapping[str, float]],
    schema: LabelSchema,
    policy: LoopPolicy,
    model: ConsensusModel | None = None,
) -> OverlapPlan:
    """What the policy wants of every record that has a grade; items are first tasks' ids.

    ``model`` is the one of the desk, by default ``fit_grades`` of these records: label and
    confidence are those that it shows.
    """
    consensus = weigh_grades(model or fit_grades(held, opinions, schema), held, opinions, schema)
    least = policy.annotators_per_record
    return plan_overlap(
        consensus,
        OverlapPolicy(
            least=least,
            most=max(least, policy.annotators_at_most),
            confidence=policy.confidence_wanted,
        ),
        priors=classifier_priors(held, opinions, schema),
        seed=policy.seed,
    )


def records_to_ask_about(
    held: Mapping[int, RecordAnswers], plan: OverlapPlan, policy: LoopPolicy
) -> dict[int, int]:
    """First task's id to the answers wanted now, where that is more than before.

    Only records whose task is in Label Studio can be asked about.
    """
    found = {}
    for place, decision in plan.items():
        answers = held[place]
        wanted = answers.responses + 1
        is_more = wanted > answers.answers_wanted(policy.annotators_per_record)
        if decision.wanted and is_more and answers.task.label_studio_task_id is not None:
            found[place] = wanted
    return found
