"""What an import of labels refuses names its true cause, and another mapping is never ignored."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from backend.core.exceptions import InvalidInput, UnreadableSource
from backend.core.services import Services
from backend.ingestion.schemas import Reject
from backend.models import Annotation, Task
from labeling.label_studio.label_mapping import LabelMapping
from tests.backend.label_exchange.conftest import answers_in, find_project
from tests.backend.label_exchange.test_import import (
    MOODS,
    foreign_answer,
    foreign_task,
    take,
    write,
)


def refused(services: Services, path: Path, answer: dict[str, Any], **data: Any) -> Reject:
    """The one reject of a file with that answer."""
    report = take(
        services, write(path / "a.json", [foreign_task(1, answer, **data)]), mapping=MOODS
    )
    (reject,) = report.rejects
    assert (report.annotations_new, report.tasks_new) == (0, 0)
    return reject


@pytest.mark.parametrize(
    ("changes", "value", "reason"),
    [
        (
            {"created_at": "yesterday"},
            "yesterday",
            "created_at 'yesterday' is no time: write it as 2026-03-01T10:00:05Z",
        ),
        ({"updated_at": 17}, "17", "updated_at 17 is no time: write it as 2026-03-01T10:00:05Z"),
        (
            {"created_at": "0001-01-01T00:00:00+14:00"},
            "0001-01-01T00:00:00+14:00",
            "created_at '0001-01-01T00:00:00+14:00' is no time: write it as 2026-03-01T10:00:05Z",
        ),
        ({"created_at": None}, None, "created_at is missing: write it as 2026-03-01T10:00:05Z"),
        (
            {"id": True},
            "True",
            "its id True is no id of Label Studio, a whole number up to 2147483646",
        ),
        ({"result": "x"}, "x", "the result is a str, not a list"),
        (
            {"result": [], "was_cancelled": False},
            None,
            "no grade is given: answer 'grade' there, or say in the mapping which control it is",
        ),
    ],
)
def test_field_value_and_remedy_of_one_cause(
    elsewhere: Services, tmp_path: Path, changes: dict[str, Any], value: str | None, reason: str
) -> None:
    reject = refused(elsewhere, tmp_path, {**foreign_answer(2, "sad"), **changes})
    assert reject.field == f"annotation {changes.get('id', 2)}"
    assert (reject.value, reject.reason) == (value, reason)


def test_an_unknown_label_is_the_cause_and_not_the_grade_that_is_missing_for_it(
    elsewhere: Services, tmp_path: Path
) -> None:
    reject = refused(elsewhere, tmp_path, foreign_answer(2, "meh"))
    told = "mood: 'meh' has no meaning in the mapping: add it to controls.mood.grade"
    assert (reject.value, reject.reason) == ("meh", told)


def test_a_question_of_another_name_is_named_with_the_one_that_it_resembles(
    elsewhere: Services, tmp_path: Path
) -> None:
    answer = foreign_answer(2, "sad")
    answer["result"][0]["from_name"] = "moood"
    reject = refused(elsewhere, tmp_path, answer)
    assert reject.value == "moood"
    assert reject.reason == (
        "control 'moood' is not in the label schema (is it 'mood'?): map it or ignore it"
    )


def test_every_cause_of_several_is_named_and_nothing_else(
    elsewhere: Services, tmp_path: Path
) -> None:
    answer = foreign_answer(2, "meh", created_at="yesterday")
    answer["result"].append({"from_name": "colour", "type": "choices", "value": {"choices": ["r"]}})
    reject = refused(elsewhere, tmp_path, answer)
    causes = reject.reason.split("; ")
    assert [cause.split(" ")[0] for cause in causes] == ["created_at", "mood:", "control"]


def test_what_is_no_annotation_is_not_lost_in_silence(elsewhere: Services, tmp_path: Path) -> None:
    task = {**foreign_task(1), "annotations": ["sad", foreign_answer(2, "sad")]}
    report = take(elsewhere, write(tmp_path / "a.json", [task]), mapping=MOODS)
    (reject,) = report.rejects
    assert (reject.field, reject.value) == ("annotation number 1", "sad")
    assert (report.annotations_read, report.annotations_new) == (2, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('\n[{"id": 1, "data": {}, "annotations": []},\n{"id": 2, "da', "cut off in line 3"),
        ('[{"id": 1, "data": {}, "annotations": []},\n{"id": 2,}]', "in line 2"),
        ('[{"id": 1, "data": {}, "annotations": []}', "cut off in line 1"),
    ],
)
def test_broken_json_is_told_by_its_line(
    elsewhere: Services, tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(UnreadableSource, match=f"is broken after task 1: .*{words}"):
        take(elsewhere, path)


def test_another_mapping_of_the_same_file_counts_at_once(
    elsewhere: Services, tmp_path: Path
) -> None:
    first = foreign_task(1, foreign_answer(1, "happy"), foreign_answer(2, "sad", completed_by=6))
    path = write(tmp_path / "a.json", [first])
    take(elsewhere, path, mapping=MOODS)
    other = changed(MOODS, grade={"happy": "fair", "sad": "poor"})
    report = take(elsewhere, path, mapping=other)
    assert (report.annotations_updated, report.annotations_unchanged) == (1, 1)
    assert grades(elsewhere) == ["fair", "poor"]
    assert take(elsewhere, path, mapping=other).annotations_unchanged == 2
    back = take(elsewhere, path, mapping=MOODS)
    assert (back.annotations_updated, back.annotations_unchanged) == (1, 1)
    assert grades(elsewhere) == ["good", "poor"]
    with elsewhere.database.reading() as session:
        told = session.exec(select(Annotation).order_by(col(Annotation.revision))).all()
        assert [row.grade for row in told if row.label_studio_annotation_id == -1] == [
            "good",
            "fair",
            "good",
        ]
        assert len(session.exec(select(Task)).all()) == 1


def test_other_people_in_the_mapping_count_too(elsewhere: Services, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [foreign_task(1, foreign_answer(1, "happy"))])
    take(elsewhere, path, mapping=MOODS)
    other = MOODS.model_copy(update={"annotators": {"5": "eve@example.org"}})
    assert take(elsewhere, path, mapping=other).annotations_updated == 1
    assert [row[1] for row in answers_in(elsewhere, find_project(elsewhere, "Copy"))] == [
        "eve@example.org"
    ]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"external_id": "text"}, "answer about record 'S1' already, and here about 'text 1'"),
        ({"external_id": "sku", "fields": {"text": "text"}}, "other content of record 'S1'"),
    ],
)
def test_another_record_in_the_mapping_is_refused_by_its_true_cause(
    elsewhere: Services, tmp_path: Path, record: dict[str, Any], words: str
) -> None:
    path = write(tmp_path / "a.json", [foreign_task(1, foreign_answer(1, "happy"))])
    take(elsewhere, path, mapping=MOODS)
    other = LabelMapping.model_validate({**MOODS.model_dump(), "record": record})
    report = take(elsewhere, path, mapping=other)
    (reject,) = report.rejects
    assert words in reject.reason
    assert "another Label Studio" not in reject.reason
    assert (report.annotations_updated, report.tasks_new) == (0, 0)


def test_another_label_schema_in_the_mapping_is_refused(
    elsewhere: Services, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.json", [foreign_task(1, foreign_answer(1, "happy"))])
    schema = {"grade": {"choices": ["good", "poor"]}, "issues": ["wrong_format"]}
    with_schema = MOODS.model_copy(update={"label_schema": schema})
    take(elsewhere, path, mapping=with_schema)
    assert take(elsewhere, path, mapping=with_schema).annotations_unchanged == 1
    other = {"grade": {"choices": ["good", "poor", "odd"]}, "issues": ["wrong_format"]}
    with pytest.raises(InvalidInput, match="another label schema than project 'Copy'") as error:
        take(elsewhere, path, mapping=MOODS.model_copy(update={"label_schema": other}))
    assert error.value.field == "mapping.label_schema"


def test_a_mapping_to_what_the_project_does_not_have_is_refused_at_once(
    elsewhere: Services, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.json", [foreign_task(1, foreign_answer(1, "happy"))])
    with pytest.raises(InvalidInput, match=r"controls\.mood\.grade\.happy is 'god'") as error:
        take(elsewhere, path, mapping=changed(MOODS, grade={"happy": "god"}))
    assert "Did you mean 'good'?" in str(error.value)
    record = {"external_id": "sku", "fields": {"txt": "text"}}
    other = LabelMapping.model_validate({**MOODS.model_dump(), "record": record})
    with pytest.raises(InvalidInput, match="from the key 'txt', which no task") as error:
        take(elsewhere, path, mapping=other)
    assert "Their keys are: sku, stars, text." in str(error.value)


def changed(mapping: LabelMapping, **mood: Any) -> LabelMapping:
    """The mapping in which the control of moods means something else."""
    told = mapping.model_dump()
    return LabelMapping.model_validate({**told, "controls": {**told["controls"], "mood": mood}})


def grades(services: Services) -> list[str]:
    """The present grades, sorted."""
    return sorted(row[2] for row in answers_in(services, find_project(services, "Copy")))
