"""Adaptive overlap: a second annotator only where the first and the classifier leave doubt."""

from sqlmodel import select

from backend.loop.job_names import ASK
from backend.loop.service import LoopService
from backend.models import Job, Prediction
from tests.backend.annotations.conftest import NOW
from tests.backend.review.conftest import Desk
from tests.fixtures.model_version import model_version


def opine(desk: Desk, tasks: dict[int, tuple[str, float]]) -> None:
    with desk.services.database.transaction() as session:
        version = model_version(desk.project_id)
        session.add(version)
        session.flush()
        for task_id, (grade, score) in tasks.items():
            rest = (1 - score) / 2
            shares = dict.fromkeys(("good", "fair", "poor"), rest) | {grade: score}
            session.add(
                Prediction(
                    task_id=task_id,
                    model_version_id=version.id,
                    grade=grade,
                    score=score,
                    grade_probabilities=shares,
                    issue_probabilities={},
                    field_probabilities={},
                    created_at=NOW,
                )
            )


def test_only_doubtful_records_get_another_annotator(desk: Desk) -> None:
    desk.set_policy(
        overlap="adaptive", annotators_per_record=1, annotators_at_most=3, confidence_wanted=0.9
    )
    ana, bo = desk.people("Ana", "Bo")
    opine(desk, dict.fromkeys(range(1, 12), ("good", 0.98)) | {12: ("poor", 0.98)})
    for task in range(1, 13):
        desk.answer(task, ana, "good")
    assert desk.refresh().asked >= 1
    assert desk.task(12).annotators_wanted == 2  # people and classifier contradict each other
    settled = [task for task in range(1, 12) if desk.task(task).annotators_wanted is None]
    assert len(settled) >= 9  # but for the random share that everybody answers
    with desk.services.database.reading() as session:
        assert session.exec(select(Job).where(Job.name == ASK)).one().status == "queued"
    with desk.services.database.transaction() as session:
        progress = LoopService(session, desk.clock).progress(desk.project)
    assert progress.open == 12 - len(settled)
    assert desk.refresh().asked == 0  # nothing new, nobody asked twice
    assert 12 not in desk.cases()  # the second answer comes before any case
    desk.answer(12, bo, "poor")
    desk.refresh()
    assert (desk.task(12).annotators_wanted or 0) <= 3


def test_a_fixed_overlap_asks_nobody_more(desk: Desk) -> None:
    (ana,) = desk.people("Ana")
    opine(desk, {1: ("poor", 0.98)})
    desk.answer(1, ana, "good")
    assert desk.refresh().asked == 0
    assert desk.task(1).annotators_wanted is None
