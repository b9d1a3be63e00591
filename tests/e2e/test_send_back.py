"""Disagreement in the real Label Studio: a case opens, the record goes back, the answer counts."""

from collections.abc import Callable

import pytest
from sqlmodel import select

from backend.core.services import Services
from backend.models import Annotator, Project, ReviewCase, Task
from backend.projects.schemas import LoopPolicy
from backend.review.decisions import Decisions
from backend.review.schemas import DecisionRequest
from labeling.exceptions import LabelStudioRefused
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.client import LabelStudioClient
from tests.e2e.stack import Stack, seed_project
from tests.e2e.test_kill_points import pushed_batch

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]


def next_task(client: LabelStudioClient, project_id: int) -> int | None:
    """The task that Label Studio's queue gives this person now."""
    try:
        return int(client._get_json(f"/api/projects/{project_id}/next")["id"])
    except LabelStudioRefused as error:
        if error.status != 404:
            raise
        return None


def answer(client: LabelStudioClient, task: int, grade: str, schema: LabelSchema) -> None:
    client.create_annotation(task, {"result": build_result(Answer(grade, ()), {}, schema)})


def case_of(services: Services, task_id: int, *states: str) -> Callable[[], ReviewCase | None]:
    def find() -> ReviewCase | None:
        with services.database.reading() as session:
            case = session.exec(
                select(ReviewCase).where(ReviewCase.task_id == task_id)
            ).one_or_none()
        return case if case and case.state in states else None

    return find


def send_back(
    services: Services, project: Project, case: ReviewCase, assignee_id: int | None = None
) -> None:
    with services.database.transaction() as session:
        decisions = Decisions(session, services.clock)
        version = decisions.case(project, case.id).version  # later answers may have come in
        decisions.decide(
            project,
            case.id,
            DecisionRequest(version=version, action="send_back", assignee_id=assignee_id),
            author="lead",
        )


def test_a_disagreement_goes_back_to_another_and_to_a_chosen_annotator(
    stack: Stack, annotator_clients: list[LabelStudioClient]
) -> None:
    services = stack.services()
    policy = LoopPolicy(batch_size=2, annotators_per_record=2, max_rounds=1, review_below=0.5)
    project, _ = seed_project(services, records=12, policy=policy, name="send back")
    schema = LabelSchema.model_validate(project.label_schema)
    stack.start("serve")
    stack.start("worker")
    stack.until(pushed_batch(services, 1), "batch 1 is pushed")
    with services.database.reading() as session:
        tasks = session.exec(select(Task).order_by(Task.position)).all()  # type: ignore[arg-type]
        held = session.get(Project, project.id)
    assert held is not None
    place = held.label_studio_project_id or 0
    ana, bo, cy = annotator_clients
    for task in tasks:
        answer(ana, task.label_studio_task_id or 0, "good", schema)
        answer(bo, task.label_studio_task_id or 0, "poor", schema)
    first, second = tasks[0], tasks[1]
    open_case = stack.until(case_of(services, first.id, "open"), "the first case opens")
    other = stack.until(case_of(services, second.id, "open"), "the second case opens")
    assert next_task(cy, place) is None  # two answers are all that the policy asks for

    send_back(services, held, open_case)
    stack.until(lambda: next_task(cy, place) == first.label_studio_task_id, "Cy is asked")
    assert next_task(ana, place) is None  # she has answered it
    answer(cy, first.label_studio_task_id or 0, "poor", schema)
    stack.until(case_of(services, first.id, "settled"), "the third answer settles the case")

    with services.database.reading() as session:
        people = {row.label_studio_user_id: row.id for row in session.exec(select(Annotator))}
    user_id = int(cy._get_json("/api/current-user/whoami")["id"])
    send_back(services, held, other, people[user_id])

    def pushed_copy() -> Task | None:
        with services.database.reading() as session:
            copy = session.exec(select(Task).where(Task.purpose == "relabel")).one()
        return copy if copy.label_studio_task_id and copy.annotators_asked else None

    copy = stack.until(pushed_copy, "the copy is in Label Studio")
    assert [next_task(each, place) for each in annotator_clients] == [None, None, None]
    shown = cy._get_json(f"/api/tasks/{copy.label_studio_task_id}/")
    assert shown["annotations"] == []  # nobody's answer is there to be seen
    answer(cy, copy.label_studio_task_id or 0, "poor", schema)
    stack.until(case_of(services, second.id, "settled"), "the copy's answer settles it")
    verified = stack.run("verify")
    assert verified.returncode == 0, verified.stdout
