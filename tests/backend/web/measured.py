"""A project in the middle of its loop, with something to see on every page."""

from typing import Any

from pydantic import SecretStr
from sqlmodel import col, select

from backend.agreement import jobs as agreement_jobs
from backend.agreement.service import WorkReports
from backend.core.services import Services
from backend.guidelines.schemas import GuidelineDraft, Rule
from backend.guidelines.service import Guidelines
from backend.jobs.inline import InlineRunner
from backend.jobs.registry import Registry
from backend.loop.service import LoopService
from backend.models import Annotator, Dataset, Project, Record, ReviewCase, Task
from backend.review import jobs as review_jobs
from backend.review.decisions import Decisions
from backend.review.schemas import DecisionRequest
from labeling.label_schema import LabelSchema
from tests.backend.training.loop import Loop, true_grade

VALUES = {"good": "qv1", "fair": "qv2", "poor": "qv3"}
ISSUE = "iv1"
POLICY = {
    "batch_size": 60,
    "audit_share": 0.2,
    "max_rounds": 2,
    "fine_tune_after": None,
    "explanation_share": 1.0,
}


def shelf_of(task: Task, record: Record) -> str:
    """The right answer, but for every eighth record, of which both people say the same."""
    if int(record.external_id) % 8 == 0:
        return neighbour_of(task, record)
    return VALUES[true_grade(task, record)]


def neighbour_of(task: Task, record: Record) -> str:
    """Another answer to every fourth record."""
    right = true_grade(task, record)
    return VALUES[right if int(record.external_id) % 4 else {"good": "fair"}.get(right, "good")]


def measured_project(loop: Loop, schema: LabelSchema, names: tuple[str, str]) -> Services:
    """Two rounds with own choices, answered by two people who differ, measured and decided.

    The schema's grades and issues are called as ``VALUES`` and ``ISSUE`` say.
    """
    services, clock = loop.services, loop.clock
    with services.database.transaction() as session:
        project = session.get_one(Project, loop.project_id)
        project.label_schema = schema.model_dump(mode="json")
        dataset = session.get_one(Dataset, project.dataset_id)
        extra = [f"truth_column_{number}" for number in range(5)]
        dataset.fields = [*extra, *dataset.fields]
        for record in session.exec(select(Record)):
            hidden = dict.fromkeys(extra, f"hidden-truth {record.external_id}")
            record.fields = {**hidden, **record.fields}
            session.add(record)
        session.add_all([project, dataset])
    loop.ask_for_batch()
    loop.run()
    loop.answer(1, shelf_of)
    loop.run()
    loop.answer(1, neighbour_of, person=2)
    with services.database.transaction() as session:
        for name, annotator in zip(names, session.exec(select(Annotator)), strict=True):
            annotator.name = name
            session.add(annotator)
    loop.run()
    assert loop.failed == []
    with services.database.transaction() as session:
        project = session.get_one(Project, loop.project_id)
        project.label_studio_project_id = 7
        session.add(project)
        LoopService(session, clock).request_review(project)
        _write_guideline(Guidelines(session, clock), project)
    registry = Registry()
    registry.add_all(review_jobs.handlers(services))
    registry.add_all(agreement_jobs.handlers(services))
    runner = InlineRunner(services.database, registry, clock)
    runner.run_pending(skip_waiting_time=True)
    with services.database.transaction() as session:
        cases = list(session.exec(select(ReviewCase).order_by(col(ReviewCase.id))))
        for case, action in zip(cases, ("decide", "decide", "ambiguous"), strict=False):
            wanted: dict[str, Any] = {"version": case.version, "action": action}
            if action == "decide":
                wanted |= {"grade": "qv2", "issues": [ISSUE]}
            request = DecisionRequest.model_validate(wanted)
            Decisions(session, clock).decide(project, case.id, request, author="lead")
        WorkReports(session, clock).request(project)
    runner.run_pending(skip_waiting_time=True)
    services.settings = services.settings.model_copy(
        update={
            "session_secret": SecretStr("a session secret for the tests"),
            "label_studio_url": "http://label-studio.example",
        }
    )
    return services


def _write_guideline(guidelines: Guidelines, project: Project) -> None:
    rules = [Rule(name="Shelves", about="qv2", text="Look."), Rule(name="Prices", about=ISSUE)]
    draft = GuidelineDraft(based_on=1, text="Look twice.", rules=rules, change="rules")
    guidelines.save(project, draft, author="lead")
    guidelines.publish(project, 2, actor="lead")
