"""Labels of other Label Studio projects: each once, on the right record, or listed as refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from backend.core.clock import utc_now
from backend.core.exceptions import InvalidInput, UnreadableSource
from backend.core.services import Services
from backend.integrity.repository import unpushed_tasks_of_pushed_batches
from backend.label_exchange.destination import LabelImport, read_mapping
from backend.label_exchange.files import write_export
from backend.label_exchange.label_chunk import LabelChunk
from backend.label_exchange.label_import import import_labels
from backend.label_exchange.schemas import ExportRequest, LabelImportReport
from backend.label_exchange.task_file import CHARACTERS_A_READ, ImportedTask, read_tasks
from backend.label_studio.repository import due_tasks
from backend.loop.repository import batches_not_pushed
from backend.models import Annotation, Annotator, Batch, Dataset, Job, Project, Record, Task
from backend.review.refreshing import refresh_desk
from labeling.label_studio.label_mapping import LabelMapping
from labeling.label_studio.tasks import build_task_data
from tests.backend.label_exchange.conftest import (
    ADA,
    ON_SQLITE,
    answers_in,
    change_record,
    exported,
    find_project,
    rows,
    task_ids,
)
from tests.backend.review.conftest import Desk


def write(path: Path, tasks: object) -> Path:
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def take(services: Services, path: Path, project: str = "Copy", **more: Any) -> LabelImportReport:
    return import_labels(services, LabelImport(path=path, project=project, **more), actor="test")


def foreign_task(number: int, *annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    """A task of a sentiment project, as Label Studio exports it."""
    return {
        "id": number,
        "project": 3,
        "data": {"sku": f"S{number}", "text": f"text {number}", "stars": number, **data},
        "annotations": list(annotations),
    }


def foreign_answer(number: int, choice: str | None, **more: Any) -> dict[str, Any]:
    value = {"choices": [choice]}
    region = {"from_name": "mood", "to_name": "text", "type": "choices", "value": value}
    return {
        "id": number,
        "completed_by": 5,
        "result": [region] if choice else [],
        "was_cancelled": choice is None,
        "created_at": "2026-03-01T10:00:00.000000Z",
        "updated_at": "2026-03-01T10:00:05.000000Z",
        **more,
    }


MOODS = LabelMapping.model_validate(
    {
        "record": {"external_id": "sku"},
        "controls": {
            "mood": {"to_name": "text", "grade": {"happy": "good", "sad": "poor"}},
            "faults": {"issues": {"typo": "wrong_format"}},
            "parts": {"faulty_fields": {"TXT": "text"}},
            "note": "rationale",
            "boxes": "ignore",
        },
        "annotators": {"5": ADA},
    }
)


def test_round_trip_to_another_store(labelled: Desk, elsewhere: Services, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(exported(labelled, what="annotations", format="label_studio"))
    report = take(elsewhere, path)
    assert report.rejects == []
    assert (report.tasks_read, report.records_new, report.annotations_new) == (9, 9, 16)
    copy = find_project(elsewhere, "Copy")
    assert answers_in(elsewhere, copy) == answers_in(labelled.services, labelled.project)
    refresh_desk(elsewhere, copy.id)
    again = take(elsewhere, path)
    assert (again.annotations_unchanged, again.records_unchanged) == (16, 9)
    assert again.annotations_new + again.annotations_updated + again.tasks_new == 0
    assert again.records_new + again.records_changed == 0
    with elsewhere.database.reading() as session:
        assert len(session.exec(select(Annotation)).all()) == 16
        assert len(session.exec(select(Annotator)).all()) == 2


@ON_SQLITE
def test_consensus_is_the_same_after_a_round_trip(
    labelled: Desk, elsewhere: Services, tmp_path: Path
) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(exported(labelled, what="annotations", format="label_studio"))
    take(elsewhere, path)
    copy = find_project(elsewhere, "Copy")
    refresh_desk(elsewhere, copy.id)
    there = Desk(elsewhere, labelled.clock, copy.id)
    before, after = rows(labelled, what="consensus"), rows(there, what="consensus")
    told = ("grade", "issues", "faulty_fields", "soft_label", "confidence", "votes", "skips")
    assert {key: [row[name] for name in told] for key, row in before.items()} == {
        key: [row[name] for name in told] for key, row in after.items()
    }
    assert after["r1"]["fields"] == before["r1"]["fields"]
    assert after["r1"]["source"] == "labels.json"
    gold = tmp_path / "gold.json"
    gold.write_bytes(exported(labelled, what="gold", format="label_studio"))
    report = take(elsewhere, gold, "Gold")
    assert (report.annotations_new, report.records_new) == (1, 2)  # one is ambiguous


def test_into_the_dataset_itself(labelled: Desk, tmp_path: Path) -> None:
    change_record(labelled, task_ids(labelled)[0])
    path = tmp_path / "labels.json"
    path.write_bytes(exported(labelled, what="annotations", format="label_studio"))
    with labelled.services.database.reading() as session:
        current = set(session.exec(select(Record.id).where(col(Record.is_current))))
    report = take(labelled.services, path, dataset="shop")
    assert report.rejects == []
    with labelled.services.database.reading() as session:
        assert set(session.exec(select(Record.id).where(col(Record.is_current)))) == current
        assert len(session.exec(select(Annotator)).all()) == 2  # the same Ada and Bo
    copy = find_project(labelled.services, "Copy")
    before = answers_in(labelled.services, labelled.project)
    assert answers_in(labelled.services, copy) == before


def test_labels_that_the_project_worked_out_are_nobody_s_answers(
    labelled: Desk, tmp_path: Path
) -> None:
    project = labelled.project.name
    before = answers_in(labelled.services, labelled.project)
    path = write(tmp_path / "own.json", json.loads(exported(labelled, format="label_studio")))
    report = take(labelled.services, path, project)
    assert (report.annotations_new, report.rejected) == (0, report.tasks_read)
    assert report.rejects[0].reason.startswith("a label that this project worked out itself")
    assert answers_in(labelled.services, labelled.project) == before


def test_a_task_of_ours_is_recognised(labelled: Desk, tmp_path: Path) -> None:
    """What our own Label Studio exports of a pushed task adds nothing but what is new."""
    (first, *_), schema = task_ids(labelled), labelled.project.label_schema
    task = labelled.task(first)
    from labeling.label_schema import LabelSchema

    fields = {"title": "thing 1", "price": 1}
    data = build_task_data(task.key, "r1", fields, LabelSchema.model_validate(schema))
    region = {"from_name": "grade", "type": "choices", "value": {"choices": ["fair"]}}
    answer = {**foreign_answer(9_000, "x"), "result": [region], "completed_by": 1}
    pushed = {"id": 1001, "data": data, "annotations": [answer]}
    path = write(tmp_path / "own.json", [pushed])
    report = take(labelled.services, path, "Shop")
    assert (report.annotations_new, report.tasks_new, report.records_new) == (1, 0, 0)
    assert take(labelled.services, path, "Shop").annotations_unchanged == 1
    with labelled.services.database.reading() as session:
        row = session.exec(
            select(Annotation).where(Annotation.label_studio_annotation_id == 9_000)
        ).one()
    assert (row.task_id, row.grade) == (first, "fair")
    # The same table in another task, of another server: a copy of the record's task.
    path = write(tmp_path / "other.json", [{**pushed, "id": 77}])
    report = take(labelled.services, path, "Shop")
    assert (report.tasks_new, report.records_unchanged, report.annotations_new) == (1, 1, 1)
    with labelled.services.database.reading() as session:
        copy = session.exec(select(Task).order_by(col(Task.id).desc())).first()
    assert copy is not None
    assert (copy.purpose, copy.original_id, copy.attempt) == ("relabel", first, 2)


def test_imported_tasks_are_never_pushed(elsewhere: Services, tmp_path: Path) -> None:
    path = write(tmp_path / "moods.json", [foreign_task(1, foreign_answer(1, "happy"))])
    take(elsewhere, path, mapping=MOODS)
    project = find_project(elsewhere, "Copy")
    with elsewhere.database.reading() as session:
        (batch,) = session.exec(select(Batch)).all()
        assert (batch.round, batch.strategy) == (0, "imported")
        assert batches_not_pushed(session, project.id) == []
        assert due_tasks(session, batch.id) == []
        assert unpushed_tasks_of_pushed_batches(session, project.id) == []
        (task,) = session.exec(select(Task)).all()
        assert (task.label_studio_task_id, task.annotators_wanted) == (None, 1)
        assert [job.name for job in session.exec(select(Job))] == ["review.refresh"]


def test_another_screen_through_a_mapping(elsewhere: Services, tmp_path: Path) -> None:
    def region(control: str, kind: str, value: dict[str, Any], to_name: str = "text") -> Any:
        return {"from_name": control, "to_name": to_name, "type": kind, "value": value}

    happy = foreign_answer(1, "happy")
    happy["result"] += [
        region("faults", "choices", {"choices": ["typo"]}),
        region("parts", "labels", {"start": 0, "end": 2, "text": "te", "labels": ["TXT"]}),
        region("note", "textarea", {"text": ["looks odd"]}),
        region("boxes", "rectanglelabels", {"x": 1, "rectanglelabels": ["b"]}),
        region("mood", "choices", {"choices": ["sad"]}, to_name="photo"),  # of another object
    ]
    tasks = [
        foreign_task(1, happy, foreign_answer(2, None, completed_by=6)),
        foreign_task(2),  # nobody answered
    ]
    report = take(elsewhere, write(tmp_path / "m.json", tasks), mapping=MOODS, dataset="Moods")
    assert report.rejects == []
    assert (report.records_new, report.tasks_new, report.annotations_new) == (2, 1, 2)
    with elsewhere.database.reading() as session:
        kept, skipped = session.exec(
            select(Annotation).order_by(col(Annotation.label_studio_annotation_id).desc())
        ).all()
        records = {row.external_id: row for row in session.exec(select(Record))}
        people = {row.id: row for row in session.exec(select(Annotator))}
    assert (kept.grade, kept.issues, kept.faulty_fields) == ("good", ["wrong_format"], ["text"])
    assert (kept.rationale, kept.result) == ("looks odd", happy["result"])
    assert (skipped.was_cancelled, skipped.grade) == (True, None)
    assert people[kept.annotator_id].email == ADA
    assert people[skipped.annotator_id].label_studio_user_id == -6
    assert records["S1"].fields == {"text": "text 1", "stars": 1}


def test_mapped_labels_go_on_in_our_own_terms(elsewhere: Services, tmp_path: Path) -> None:
    tasks = [foreign_task(1, foreign_answer(1, "happy"), foreign_answer(2, None, completed_by=6))]
    take(elsewhere, write(tmp_path / "m.json", tasks), mapping=MOODS)
    first = find_project(elsewhere, "Copy")
    out = tmp_path / "ours.json"
    request = ExportRequest(what="annotations", format="label_studio")
    write_export(elsewhere, first, request, out)
    report = take(elsewhere, out, "Second")
    assert report.rejects == []
    said = [row[2:] for row in answers_in(elsewhere, find_project(elsewhere, "Second"))]
    assert said == [row[2:] for row in answers_in(elsewhere, first)]


def test_a_newer_export_adds_revisions(elsewhere: Services, tmp_path: Path) -> None:
    first = foreign_task(1, foreign_answer(1, "happy"), foreign_answer(2, "sad", completed_by=6))
    take(elsewhere, write(tmp_path / "a.json", [first]), mapping=MOODS)
    changed = foreign_answer(1, "sad", updated_at="2026-04-01T10:00:00Z")
    second = foreign_task(1, changed)  # the other answer was deleted there: it is kept here
    report = take(elsewhere, write(tmp_path / "b.json", [second]), mapping=MOODS)
    assert (report.annotations_new, report.annotations_updated) == (0, 1)
    copy = find_project(elsewhere, "Copy")
    assert [row[2] for row in answers_in(elsewhere, copy)] == ["poor", "poor"]
    late = take(elsewhere, tmp_path / "a.json", mapping=MOODS)
    assert (late.annotations_unchanged, late.annotations_updated) == (2, 0)


def test_ids_of_two_servers_do_not_mix(elsewhere: Services, tmp_path: Path) -> None:
    take(
        elsewhere,
        write(tmp_path / "a.json", [foreign_task(1, foreign_answer(1, "sad"))]),
        mapping=MOODS,
    )
    other = foreign_task(9, foreign_answer(1, "happy", created_at="2025-01-01T00:00:00Z"))
    report = take(elsewhere, write(tmp_path / "b.json", [other]), mapping=MOODS)
    assert report.annotations_new == 0
    assert "imported from another Label Studio" in report.rejects[0].reason


def test_what_does_not_fit_is_listed(elsewhere: Services, tmp_path: Path) -> None:
    unknown = {"from_name": "colour", "type": "choices", "value": {"choices": ["red"]}}
    mark = {"from_name": "faulty", "type": "hypertextlabels", "value": {"start": "/tr[1]"}}
    tasks = [
        foreign_task(1, foreign_answer(1, "happy"), foreign_answer(2, "meh")),
        foreign_task(2, foreign_answer(3, "sad") | {"result": [unknown]}),
        foreign_task(3, foreign_answer(4, "sad") | {"result": [mark]}),
        foreign_task(4, foreign_answer(5, "sad") | {"id": "five"}),
        foreign_task(5, foreign_answer(6, "sad", created_at="yesterday")),
        foreign_task(6, foreign_answer(7, "sad"), sku=None),
        {"id": 7, "data": None, "annotations": []},
        "no task",
        foreign_task(9, foreign_answer(8, "sad"), text="half \ud800"),
        foreign_task(10, foreign_answer(9, "sad") | {"result": {}}),
    ]
    path = write(tmp_path / "moods.json", tasks)
    report = take(elsewhere, path, mapping=MOODS)
    assert (report.annotations_new, report.tasks_read, report.tasks_new) == (1, 10, 1)
    found = {(each.line, each.field): each.reason for each in report.rejects}
    assert found.keys() == {
        (1, "annotation 2"),
        (2, "annotation 3"),
        (3, "annotation 4"),
        (4, "annotation five"),
        (5, "annotation 6"),
        (6, "sku"),
        (7, "data"),
        (8, "data"),
        (9, "data.text"),
        (10, "annotation 9"),
    }
    assert "'meh' has no meaning in the mapping" in found[1, "annotation 2"]
    assert "control 'colour' is not in the label schema" in found[2, "annotation 3"]
    assert "marks a row of a table" in found[3, "annotation 4"]
    assert "yesterday" in found[5, "annotation 6"]


def test_a_dry_run_keeps_nothing(elsewhere: Services, tmp_path: Path) -> None:
    path = write(tmp_path / "moods.json", [foreign_task(1, foreign_answer(1, "happy"))])
    report = take(elsewhere, path, mapping=MOODS, is_dry_run=True)
    assert (report.annotations_new, report.import_id, report.project_id) == (1, None, None)
    with elsewhere.database.reading() as session:
        for table in (Project, Record, Annotation, Annotator, Batch, Job):
            assert session.exec(select(table)).all() == []


def test_a_dry_run_keeps_no_writer_waiting(
    elsewhere: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "moods.json", [foreign_task(1, foreign_answer(1, "happy"))])
    took_in, written = LabelChunk.take_in, list[int]()

    def take_in_while_others_write(chunk: LabelChunk, tasks: Sequence[ImportedTask]) -> None:
        took_in(chunk, tasks)
        with elsewhere.database.transaction() as session:
            session.add(Dataset(name="meanwhile", kind="product", created_at=utc_now()))
        written.append(1)

    monkeypatch.setattr(LabelChunk, "take_in", take_in_while_others_write)
    report = take(elsewhere, path, mapping=MOODS, is_dry_run=True)
    assert (report.annotations_new, written) == (1, [1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"id": 1, "sku": "a", "mood": "x", "annotator": 1, "annotation_id": 2}]', "JSON_MIN"),
        ('[{"id": 1, "data": {}, "completions": []}]', "before 1.0"),
        ("id,text\n1,a\n", "no JSON array"),
        ("", "no JSON array"),
        ('[{"id": 1, "data": {}, "annotations": []}, {"id": 2, "da', "broken after task 1"),
        ("[1, 2]", "no tasks with annotations"),
    ],
)
def test_other_files_are_refused_with_a_remedy(
    elsewhere: Services, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "export.json"
    path.write_text(content)
    with pytest.raises(UnreadableSource, match=message) as refused:
        take(elsewhere, path)
    assert "exportType=JSON" in str(refused.value)
    with elsewhere.database.reading() as session:
        assert session.exec(select(Project)).all() == []
    with pytest.raises(UnreadableSource, match="cannot be read"):
        take(elsewhere, tmp_path / "missing.json")
    (tmp_path / "empty.json").write_text("[]")
    with pytest.raises(InvalidInput, match="no fields"):
        take(elsewhere, tmp_path / "empty.json")


def test_files_are_read_in_pieces(tmp_path: Path) -> None:
    tasks = [foreign_task(number, text="长" * 1000 + "]," * 50) for number in range(1, 1500)]
    path = tmp_path / "large.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8-sig")
    assert path.stat().st_size > 2 * CHARACTERS_A_READ
    assert [task for _, task in read_tasks(path)] == tasks


def test_mappings_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text("controls: {mood: {grade: {happy: good}, issues: {a: b}}}")
    with pytest.raises(InvalidInput, match="exactly one of grade, issues"):
        read_mapping(path)
    path.write_text("contrlos: {}")
    with pytest.raises(InvalidInput, match="contrlos"):
        read_mapping(path)
    path.write_text("controls: {mood: {grade: {happy: good}}, n: rationale}")
    assert read_mapping(path).controls["n"] == "rationale"


@ON_SQLITE
def test_a_project_on_another_dataset(labelled: Desk, tmp_path: Path) -> None:
    path = write(tmp_path / "moods.json", [foreign_task(1, foreign_answer(1, "happy"))])
    with pytest.raises(InvalidInput, match="labels the dataset 'shop'"):
        take(labelled.services, path, "Shop", dataset="moods", mapping=MOODS)
