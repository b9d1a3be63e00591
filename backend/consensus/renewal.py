"""When the model of a project's annotators and grades is fitted anew."""

from collections.abc import Iterable

from backend.consensus.marks_repository import Marks, is_fitted_to
from backend.loop.answers import RecordAnswers
from backend.models import ConsensusState
from labeling.consensus.consensus_model import ConsensusModel
from labeling.label_schema import LabelSchema

FEW_REVISIONS = 1_000
"""Below that many a fit of everything takes less than a second: there is nothing to put off."""
GROWTH = 0.1
"""Share of new revisions from which error rates are renewed: a tenth more answers makes an error
rate's standard error 5 % smaller (1 / sqrt(1.1)), so a later fit would hardly say more."""


def model_of(state: ConsensusState, schema: LabelSchema) -> ConsensusModel | None:
    """The stored model, if there is one and it knows the schema's grades."""
    if state.model is None or state.fitted is None:
        return None
    model = ConsensusModel.from_json(state.model)
    return model if tuple(model.classes.tolist()) == tuple(schema.grades) else None


def is_small(marks: Marks) -> bool:
    """True where a full fit is no more work than an incremental refresh is worth."""
    return bool(marks["annotations"][0] < FEW_REVISIONS)


def is_outgrown(state: ConsensusState, marks: Marks) -> bool:
    """True if the model is not of this moment and a fit costs little, or much has come since."""
    if state.fitted is None:
        return True
    if is_fitted_to(state.fitted, marks):
        return False
    before = state.fitted["annotations"][0]
    return is_small(marks) or marks["annotations"][0] >= (1 + GROWTH) * before


def is_model_new_to(
    model: ConsensusModel, records: Iterable[RecordAnswers], schema: LabelSchema
) -> bool:
    """True if these answers are of people whom the model cannot weigh.

    Somebody it has not seen counts as the average of those whom it has. One that could compare
    nobody gives no confidence: the first record with two answers calls for another.
    """
    known = set(model.annotators.tolist())
    for each in records:
        counted = [row for row in each.answers if row.grade in schema.grades]
        if not known and len(counted) > 1:
            return True
        if known and any((row.annotator_id or -row.id) not in known for row in counted):
            return True
    return False
