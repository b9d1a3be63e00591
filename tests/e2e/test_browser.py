"""A person labels in a real browser, and the answer is in our store, once."""

import pytest
from playwright.sync_api import Page
from sqlmodel import select

from backend.core.services import Services
from backend.demo.simulation import hire_annotators, label_batch
from backend.models import Annotation, Annotator, Prediction, Project, Task
from backend.projects.schemas import LoopPolicy
from labeling.label_studio.account import ensure_annotator
from tests.e2e.stack import Stack, seed_project, truth_of
from tests.e2e.test_kill_points import pushed_batch
from tests.fixtures.browser import (
    answer_in_browser,
    close_instructions,
    log_in_to_label_studio,
    open_labelling,
)
from tests.fixtures.label_studio import PASSWORD

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio, pytest.mark.browser]


def annotations_by(services: Services, email: str) -> list[Annotation]:
    with services.database.reading() as session:
        user_ids = session.exec(select(Annotator.id).where(Annotator.email == email)).all()
        rows = session.exec(select(Annotation)).all()
    return [row for row in rows if row.annotator_id in user_ids]


def test_a_person_sees_the_suggestion_answers_and_is_counted_once(stack: Stack, page: Page) -> None:
    services = stack.services()
    policy = LoopPolicy(batch_size=16, audit_share=0.25)
    project, truths = seed_project(services, records=80, policy=policy, name="browser")
    stack.start("serve")
    stack.start("worker")
    first = stack.until(pushed_batch(services, 1), "batch 1 is pushed")
    with services.database.reading() as session:
        project = session.exec(select(Project)).one()
    label_batch(
        services,
        project,
        first.id,
        hire_annotators(services, PASSWORD)[:1],
        truth_of(truths),
        seed=1,
        progress=lambda _share, _text: None,
    )
    stack.until(pushed_batch(services, 2), "batch 2 is pushed")
    email = "person@example.com"
    ensure_annotator(stack.label_studio.url, stack.label_studio.token, email, PASSWORD)

    assert project.label_studio_project_id is not None
    log_in_to_label_studio(page, stack.label_studio.url, email, PASSWORD)
    served = open_labelling(page, stack.label_studio.url, project.label_studio_project_id)
    instructions = close_instructions(page)
    assert "Good: nothing is wrong." in instructions
    assert "优良：没有问题。" in instructions
    task, prediction = suggestion_for(services, served)
    other = next(grade for grade in ("poor", "good", "fair") if grade != prediction.grade)
    issue = min(prediction.issue_probabilities, key=prediction.issue_probabilities.__getitem__)
    answer_in_browser(
        page,
        suggested_grade=prediction.grade,
        grade=other,
        issues=[issue],
        screenshot=stack.data_dir / "labelling-page.png",
    )

    found = stack.until(lambda: annotations_by(services, email), "the answer is in the store")
    assert [(row.revision, row.task_id, row.grade) for row in found] == [(1, task.id, other)]
    assert issue in found[0].issues
    assert found[0].origins["grade"] == "prediction-changed"
    assert found[0].prediction_snapshot is not None
    assert found[0].prediction_snapshot["model_version"] == "v1"
    assert stack.run("sync", "browser").returncode == 0
    assert len(annotations_by(services, email)) == 1, "counted once, webhook and sync together"
    assert stack.run("verify").returncode == 0


def suggestion_for(services: Services, label_studio_task_id: int) -> tuple[Task, Prediction]:
    """The task with that id in Label Studio, and what its annotator is shown."""
    with services.database.reading() as session:
        task, prediction = session.exec(
            select(Task, Prediction)
            .join(Prediction, Prediction.task_id == Task.id)  # type: ignore[arg-type]
            .where(Task.label_studio_task_id == label_studio_task_id)
        ).one()
    assert not task.is_audit, "the first task of a batch is not an audit task"
    return task, prediction
