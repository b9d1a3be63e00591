"""What pages tell of a project whose labels were given elsewhere."""

from pathlib import Path

from sqlmodel import select

from backend.core.services import Services
from backend.models import ReviewCase
from backend.overview.schemas import ProjectStatus
from backend.overview.service import OverviewService
from backend.review.service import ReviewDesk
from labeling.label_schema import LabelSchema
from labeling.label_studio.tasks import build_task_data
from tests.backend.conftest import ClientAs
from tests.backend.label_exchange.conftest import find_project
from tests.backend.label_exchange.test_import import (
    MOODS,
    foreign_answer,
    foreign_task,
    take,
    write,
)
from tests.backend.review.conftest import Desk


def status_of(services: Services, project_id: int) -> ProjectStatus:
    with services.database.reading() as session:
        overview = OverviewService(session, services.clock, services.settings)
        return overview.project(project_id)


def test_people_of_an_import_are_annotators_and_its_round_is_named(
    elsewhere: Services, tmp_path: Path
) -> None:
    tasks = [
        foreign_task(1, foreign_answer(1, "happy"), foreign_answer(2, "sad", completed_by=6)),
        foreign_task(2, foreign_answer(3, "sad", completed_by=None)),
        foreign_task(3, foreign_answer(4, "sad", completed_by=None)),
    ]
    take(elsewhere, write(tmp_path / "m.json", tasks), mapping=MOODS)
    status = status_of(elsewhere, find_project(elsewhere, "Copy").id)
    assert (status.annotators, status.annotations.current, status.annotations.unnamed) == (2, 4, 2)
    told = [(row.name, row.annotations) for row in status.annotator_counts]
    assert told[:2] == [("ada@example.org", 1), ("user 6 of another Label Studio", 1)]
    assert told[2:] == [(None, 2)]
    (imported,) = status.rounds
    assert (imported.strategy, imported.labelled, imported.batch_size) == ("imported", 3, 3)


def test_copies_that_were_imported_are_called_so(
    labelled: Desk, tmp_path: Path, browser_as: ClientAs
) -> None:
    """Second answers to a record that the project has, of nobody who is named."""
    schema = LabelSchema.model_validate(labelled.project.label_schema)
    data = build_task_data("key-5", "r5", {"title": "thing 5", "price": 5}, schema)
    region = {"from_name": "grade", "type": "choices", "value": {"choices": ["fair"]}}
    answers = [
        {**foreign_answer(number, "x"), "result": [region], "completed_by": None}
        for number in (9_000, 9_001)
    ]
    path = write(tmp_path / "other.json", [{"id": 77, "data": data, "annotations": answers}])
    report = take(labelled.services, path, labelled.project.name)
    assert (report.annotations_new, report.tasks_new, report.records_unchanged) == (2, 1, 1)
    with labelled.services.database.reading() as session:
        case = session.exec(select(ReviewCase).where(ReviewCase.task_id == 5)).one()
        desk = ReviewDesk(session, labelled.clock)
        shown = desk.case(labelled.project, case.id).answers
    ours, imported = [(False, False)] * 2, [(True, False)] * 2
    assert [(each.is_imported, each.is_copy) for each in shown] == ours + imported
    lead = browser_as("lead")
    page = lead.get(f"/projects/{labelled.project_id}/review/{case.id}").text
    assert page.count('<span class="badge">imported</span>') == 2
    assert "asked again" not in page
    project = lead.get(f"/projects/{labelled.project_id}").text
    # One of the three is of somebody whom our own Label Studio forgot.
    assert "and 3 unnamed answers" in project
    assert "<td>unknown annotator</td>" in project
    assert '<span class="badge">imported</span></td>' in project
    assert "1 / 1" in project
    assert "Nobody has answered yet." not in project
    assert "Imported labels" not in project  # there is a round of the project's own
