"""Answers that an earlier import told otherwise: with another mapping they mean something else."""

from collections.abc import Sequence

from sqlmodel import Session

from backend.annotations.revisions import identity_of
from backend.label_exchange.import_repository import latest_tellings
from backend.models import Annotation
from labeling.label_studio.annotations import ParsedAnnotation


def retold(
    session: Session, project_id: int, answers: Sequence[ParsedAnnotation]
) -> dict[int, str]:
    """Annotation id to the identity of its new revision, where its meaning is another one.

    The revision of Label Studio is the same; what counts is what the last import makes of it.
    Answers of our own Label Studio (ids above zero) mean what its own screen says.
    """
    imported = [each for each in answers if each.label_studio_id < 0]
    known = latest_tellings(session, project_id, [each.label_studio_id for each in imported])
    identities = {}
    for each in imported:
        held = known.get((each.label_studio_id, each.updated_at))
        if held is not None and _what_it_says(each) != _what_is_held(*held):
            moment = identity_of(each.updated_at)
            identities[each.label_studio_id] = f"{moment}#{held[0].revision + 1}"
    return identities


def _what_it_says(each: ParsedAnnotation) -> tuple[object, ...]:
    return (
        each.was_cancelled,
        each.grade,
        list(each.issues),
        list(each.faulty_fields),
        dict(each.corrected_values),
        each.rationale,
        each.annotator_id,
    )


def _what_is_held(row: Annotation, user_id: int | None) -> tuple[object, ...]:
    return (
        row.was_cancelled,
        row.grade,
        row.issues,
        row.faulty_fields,
        row.corrected_values,
        row.rationale,
        user_id,
    )
