"""An import that changes labelled records asks for the review desk in its own transaction."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlmodel import select

from backend.ingestion import service as ingestion
from backend.ingestion.schemas import ImportReport, ImportRequest
from backend.ingestion.service import import_source
from backend.models import Job, Record
from backend.records import repository as records
from backend.records.content import content_hash
from tests.backend.review.conftest import Desk
from tests.fixtures.database import database

__all__ = ["database"]


def reviews(desk: Desk) -> list[Job]:
    with desk.services.database.reading() as session:
        return list(session.exec(select(Job).where(Job.name == "review.refresh")))


def take(desk: Desk, path: Path, rows: Sequence[tuple[str, int]]) -> ImportReport:
    """The import of records r1, r2, … with these titles and prices."""
    lines = [
        json.dumps({"id": f"r{number}", "title": title, "price": price})
        for number, (title, price) in enumerate(rows, 1)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    request = ImportRequest(dataset="shop", path=path, id_column="id")
    return import_source(desk.services.database, request, desk.clock)


@pytest.fixture
def answered(desk: Desk) -> Desk:
    """Two people agree about the first record; nobody has seen another."""
    with desk.services.database.transaction() as session:
        for row in session.exec(select(Record)):
            row.content_hash = content_hash(row.kind, row.fields)
            session.add(row)
        for job in session.exec(select(Job)):  # of the desk's own policy
            session.delete(job)
    for person in desk.people("Ana", "Bo"):
        desk.answer(1, person, "good")
    desk.refresh()
    assert (desk.cases(), reviews(desk)) == ({}, [])
    return desk


def test_a_changed_record_is_on_the_desk_without_another_answer(
    answered: Desk, tmp_path: Path
) -> None:
    report = take(answered, tmp_path / "a.jsonl", [("thing 1", 99), ("thing 2", 2)])
    assert (report.rows_changed, report.rows_unchanged) == (1, 1)
    (job,) = reviews(answered)
    assert (job.project_id, job.status) == (answered.project_id, "queued")
    answered.refresh()
    assert answered.cases()[1].reason == "record_changed"


def test_what_nobody_answered_about_asks_for_nothing(answered: Desk, tmp_path: Path) -> None:
    report = take(answered, tmp_path / "a.jsonl", [("thing 1", 1), ("thing 2", 99)])
    assert (report.rows_changed, report.rows_unchanged) == (1, 1)
    assert reviews(answered) == []


def test_content_of_before_asks_again(answered: Desk, tmp_path: Path) -> None:
    take(answered, tmp_path / "a.jsonl", [("thing 1", 99)])
    answered.refresh()
    with answered.services.database.transaction() as session:
        for job in session.exec(select(Job)):
            session.delete(job)
    take(answered, tmp_path / "b.jsonl", [("thing 1", 1)])
    assert len(reviews(answered)) == 1
    answered.refresh()
    assert answered.cases()[1].state == "settled"


def test_a_change_that_is_not_kept_asks_for_nothing(
    answered: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("no space")

    monkeypatch.setattr(ingestion.repository, "add_counts", full)
    with pytest.raises(RuntimeError, match="no space"):
        take(answered, tmp_path / "a.jsonl", [("thing 1", 99)])
    assert reviews(answered) == []
    with answered.services.database.reading() as session:
        assert records.history(session, 1, "r1")[-1].fields["price"] == 1
