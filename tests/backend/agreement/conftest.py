"""A review desk whose answers are measured by the real job."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from backend.agreement import jobs
from backend.agreement.schemas import AgreementPublic, AnnotatorPublic, AnnotatorsPublic
from backend.agreement.service import ReportState, WorkReports
from backend.core.database import Database
from backend.core.services import Services
from backend.jobs.inline import InlineRunner
from backend.jobs.registry import Registry
from backend.models import Annotation, Record, ReviewCase, Task
from backend.review.decisions import Decisions
from backend.review.schemas import DecisionRequest
from tests.backend.annotations.conftest import seeded
from tests.backend.review.conftest import Desk, desk, new_desk

__all__ = ["desk", "new_desk", "seeded"]

GRADES = ("good", "fair", "poor")


@dataclass
class Measured:
    """The desk and what is measured of it."""

    desk: Desk

    @property
    def project_id(self) -> int:
        return self.desk.project_id

    def reports(self) -> ReportState:
        with self.desk.services.database.reading() as session:
            return WorkReports(session, self.desk.clock).state(self.desk.project)

    def fingerprint(self) -> str:
        with self.desk.services.database.reading() as session:
            return WorkReports(session, self.desk.clock).fingerprint(self.desk.project)

    def request(self) -> str | None:
        """The job's id."""
        self.desk.clock.advance(1)
        with self.desk.services.database.transaction() as session:
            return WorkReports(session, self.desk.clock).request(self.desk.project)

    def run(self) -> int:
        """Every queued job has run; how many did."""
        registry = Registry()
        registry.add_all(jobs.handlers(self.desk.services))
        runner = InlineRunner(self.desk.services.database, registry, self.desk.clock)
        return runner.run_pending()

    def measure(self) -> ReportState:
        """The report is of the answers that there are now."""
        self.request()
        self.run()
        state = self.reports()
        assert state.is_current
        assert state.job is None
        return state

    def agreement(self) -> AgreementPublic:
        self.measure()
        with self.desk.services.database.reading() as session:
            return WorkReports(session, self.desk.clock).agreement(self.desk.project)

    def annotators(self) -> AnnotatorsPublic:
        self.measure()
        with self.desk.services.database.reading() as session:
            return WorkReports(session, self.desk.clock).annotators(self.desk.project)

    def person(self, annotator_id: int) -> AnnotatorPublic:
        self.measure()
        with self.desk.services.database.reading() as session:
            reports = WorkReports(session, self.desk.clock)
            return reports.annotator(self.desk.project, annotator_id)

    def decide(self, task_id: int, grade: str) -> None:
        """The record's case is decided by a lead."""
        case = self.desk.cases().get(task_id) or self._open_case(task_id)
        with self.desk.services.database.transaction() as session:
            Decisions(session, self.desk.clock).decide(
                self.desk.project,
                case.id,
                DecisionRequest(
                    version=case.version, action="decide", grade=grade, reason="as I see it"
                ),
                author="lead",
            )

    def _open_case(self, task_id: int) -> ReviewCase:
        """A case that a lead opened without a reason of ours."""
        case = ReviewCase(
            project_id=self.project_id,
            task_id=task_id,
            kind="product",
            state="open",
            priority=0.0,
            version=1,
            fingerprint="",
            opened_at=self.desk.clock(),
            changed_at=self.desk.clock(),
        )
        with self.desk.services.database.transaction() as session:
            session.add(case)
        return case

    def hidden_copy(self, task_id: int) -> int:
        """A hidden copy of the task; its id."""
        first = self.desk.task(task_id)
        with self.desk.services.database.transaction() as session:
            copy = Task(
                project_id=first.project_id,
                record_id=first.record_id,
                batch_id=first.batch_id,
                key=f"{first.key}-gold",
                position=0,
                is_audit=False,
                purpose="gold",
                attempt=7,
                original_id=task_id,
                label_studio_task_id=3000 + task_id,
            )
            session.add(copy)
            session.flush()
            return copy.id


def filled(desk: Desk) -> list[int]:
    """Three people answer twelve records; the third errs on every third, one skips one."""
    people = desk.people("Ana Duarte", "Bo Lindqvist", "陈思")
    for task in range(1, 13):
        right = GRADES[task % 3]
        for place, person in enumerate(people):
            grade = GRADES[(task + 1) % 3] if place == 2 and task % 3 == 0 else right
            marks = ["price"] if task % 4 == 0 and place else []
            issues = ["duplicate"] if task % 2 and place != 1 else []
            desk.answer(task, person, grade, issues=issues, fields=marks)
    return people


def busy(desk: Desk) -> list[int]:
    """Four people answer a hundred further records in five weeks.

    The first is right, the second nearly always; the third is until he guesses in the second
    half; the fourth always says good, within a second.
    """
    people = desk.people("Ada Right", "Ben Mostly", "Carl Changed", "Dan Always-Good")
    begun = desk.clock()
    first = desk.task(1)
    with desk.services.database.transaction() as session:
        record = session.get_one(Record, first.record_id)
        for number in range(100):
            copy = Record(
                dataset_id=record.dataset_id,
                external_id=f"more-{number}",
                content_hash=f"{1000 + number:064d}",
                kind="product" if number % 3 else "article",
                fields={"title": f"further thing {number}", "price": number},
                source="test",
                created_at=record.created_at,
            )
            session.add(copy)
            session.flush()
            task = Task(
                project_id=first.project_id,
                record_id=copy.id,
                batch_id=first.batch_id,
                key=f"more-{number}",
                position=100 + number,
                is_audit=False,
                label_studio_task_id=5000 + number,
            )
            session.add(task)
            session.flush()
            given = (
                number % 3,
                (number + (number % 10 == 0)) % 3,
                (number + (number >= 50 and number % 4 > 0)) % 3,
                0,
            )
            for place, grade in enumerate(given):
                moment = begun + timedelta(hours=8 * number, minutes=place)
                session.add(
                    Annotation(
                        project_id=first.project_id,
                        task_id=task.id,
                        annotator_id=people[place],
                        label_studio_annotation_id=70_000 + 10 * number + place,
                        revision=1,
                        identity="1",
                        grade=GRADES[grade],
                        issues=["duplicate"] if number % 7 == place else [],
                        lead_time=(14.0, 18.5, 21.0, 0.3)[place] + number % 5 * 0.1,
                        annotated_at=moment,
                        revised_at=moment,
                        via="sync",
                        received_at=moment,
                    )
                )
    desk.clock.now = begun + timedelta(days=36)
    return people


@pytest.fixture
def measured(desk: Desk) -> Measured:
    return Measured(desk)


@pytest.fixture
def services(desk: Desk) -> Services:
    """Of the desk, for the application of the tests."""
    return desk.services


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """SQLite, unless a test asks for both."""
    return sqlite_database
