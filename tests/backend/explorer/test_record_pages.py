"""The page of one record, as text."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from backend.models import (
    Acceptance,
    Annotation,
    Dataset,
    Decision,
    MachineLabel,
    Record,
    ReviewCase,
    Task,
)
from backend.records.schemas import RecordCreate
from backend.records.service import RecordsService
from tests.backend.conftest import ClientAs
from tests.backend.explorer.drawing import draw
from tests.backend.scoring.test_refreshing import refresh
from tests.backend.training.loop import Loop


def place(loop: Loop, record_id: int) -> str:
    return f"/projects/{loop.project_id}/records/{record_id}"


def labelled(loop: Loop) -> tuple[Task, Record]:
    """The first task of the loop's batch, with its record."""
    with loop.services.database.reading() as session:
        found = session.exec(
            select(Task, Record)
            .join(Record, col(Record.id) == col(Task.record_id))
            .order_by(col(Task.id))
        ).first()
    assert found is not None
    return found


def put(loop: Loop, external_id: str, **fields: Any) -> int:
    """An import brings this content; the id of the version."""
    with loop.services.database.transaction() as session:
        dataset = session.exec(select(Dataset)).one()
        RecordsService(session, loop.clock).upsert(
            dataset.id, [RecordCreate(external_id, "product", fields, "second.csv")]
        )
        return session.exec(
            select(Record.id).where(Record.external_id == external_id, col(Record.is_current))
        ).one()


def test_it_shows_the_verdict_and_what_people_said(loop: Loop, browser_as: ClientAs) -> None:
    _, record = labelled(loop)
    page = browser_as("viewer").get(place(loop, record.id)).text
    assert record.external_id in page
    assert "model version 1" in page
    verdict = (
        browser_as("reviewer")
        .get(f"/api/v1/projects/{loop.project_id}/verdicts", params={"record_id": record.id})
        .json()["items"][0]
    )
    for probability in verdict["probabilities"].values():
        assert f"<b>{100 * probability:.0f} %</b>" in page
    assert f'people&#39;s consensus: <span class="badge">{verdict["label"]}</span>' in page
    assert "person 1" in page
    assert "#1" not in page.split('id="labels"')[1].split("</section>")[0]
    assert "Round 1" in page


def test_only_reviewers_read_who_answered_and_reach_the_case(
    loop: Loop, browser_as: ClientAs
) -> None:
    task, record = labelled(loop)
    with loop.services.database.transaction() as session:
        session.add(case := _case(loop, task.id))
        session.flush()
        decision = Decision(
            case_id=case.id,
            action="decide",
            grade="poor",
            reason="the price is <b>odd</b>",
            author="rita@example.org",
            case_version=1,
            created_at=loop.clock(),
        )
        session.add(decision)
        case_id = case.id
    reviewed = browser_as("reviewer").get(place(loop, record.id)).text
    assert f"/projects/{loop.project_id}/review/{case_id}?state=" in reviewed
    assert "rita@example.org" in reviewed
    assert "the price is &lt;b&gt;odd&lt;/b&gt;" in reviewed
    assert "<b>#1</b>" in reviewed
    viewed = browser_as("viewer").get(place(loop, record.id)).text
    assert "rita@example.org" not in viewed
    assert f"/review/{case_id}" not in viewed
    assert "the price is &lt;b&gt;odd&lt;/b&gt;" in viewed


def _case(loop: Loop, task_id: int) -> ReviewCase:
    return ReviewCase(
        project_id=loop.project_id,
        task_id=task_id,
        state="decided",
        opened_at=loop.clock(),
        changed_at=loop.clock(),
    )


def test_an_answer_that_was_changed_shows_what_it_was(loop: Loop, browser_as: ClientAs) -> None:
    task, record = labelled(loop)
    loop.revise(1, lambda *_: "fair")
    page = browser_as("viewer").get(place(loop, record.id)).text
    labels = page.split('id="labels"')[1].split("</section>")[0]
    assert "1 earlier revision" in labels
    with loop.services.database.reading() as session:
        first = session.exec(
            select(Annotation).where(Annotation.task_id == task.id, Annotation.revision == 1)
        ).one()
    assert f'<span class="badge">{first.grade}</span>' in labels.split("<details")[1]


def test_versions_show_what_changed_and_lead_to_each_other(
    loop: Loop, browser_as: ClientAs
) -> None:
    _, old = labelled(loop)
    hostile = '<script>alert("x")</script>'
    new_id = put(loop, old.external_id, **{**old.fields, "price": hostile, "colour": ["red"]})
    viewer = browser_as("viewer")
    page = viewer.get(place(loop, new_id)).text
    assert hostile not in page
    changes = page.split('id="versions"')[1].split("</section>")[0]
    assert "<ins><bdi>&lt;script&gt;" in changes
    assert "<dt>title</dt>" not in changes
    assert "About version 1" in page
    assert "not in the label schema" in page
    earlier = viewer.get(place(loop, old.id)).text
    assert "This is an earlier version of the record." in earlier
    assert f'href="{place(loop, new_id)}"' in earlier
    refresh(loop)
    judged = viewer.get(place(loop, new_id)).text
    assert "Verdict" in judged
    assert "The verdict on this record is being made." not in judged


def test_a_record_is_found_by_its_external_id(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    record_id = put(loop, "shop/7 #a?b", title="mug", price="3")
    address = f"/projects/{loop.project_id}/records/by-external-id/shop%2F7%20%23a%3Fb"
    found = viewer.get(address, params={"sort": "doubt", "position": 4})
    assert found.status_code == 303
    assert found.headers["location"] == f"{place(loop, record_id)}?sort=doubt&position=4"
    missing = viewer.get(f"/projects/{loop.project_id}/records/by-external-id/nothing")
    assert missing.status_code == 404


@pytest.mark.parametrize("number", ["999999", "-1", "9" * 40])
def test_there_is_no_page_of_other_records(loop: Loop, browser_as: ClientAs, number: str) -> None:
    with loop.services.database.transaction() as session:
        other = Dataset(name="other", kind="x", fields=[], created_at=loop.clock())
        session.add(other)
        session.flush()
        session.add(stranger := _stranger(other.id, loop))
        session.flush()
        stranger_id = stranger.id
    viewer = browser_as("viewer")
    base = f"/projects/{loop.project_id}/records"
    assert viewer.get(f"{base}/{number}").status_code in {404, 422}
    assert viewer.get(f"{base}/{stranger_id}").status_code == 404
    assert browser_as("annotator").get(f"{base}/1").status_code == 403


def _stranger(dataset_id: int, loop: Loop) -> Record:
    return Record(
        dataset_id=dataset_id,
        external_id="s",
        content_hash="0" * 64,
        kind="x",
        fields={"secret": "of somebody else"},
        source="test",
        created_at=loop.clock(),
    )


def test_fields_are_judged_with_reasons(loop: Loop, browser_as: ClientAs) -> None:
    record_id = put(loop, "no price", title="cotton shirt 4", price="")
    refresh(loop)
    page = browser_as("viewer").get(place(loop, record_id)).text
    fields = page.split('id="fields"')[1].split("</section>")[0]
    assert fields.count('class="probability"') == 2
    assert "missing value" in fields
    assert "Why this grade" in page
    explained = page.split('id="explanation"')[1].split("</section>")[0]
    assert "effects" in explained or "No field by itself" in explained


def test_machine_labels_show_their_history(loop: Loop, browser_as: ClientAs) -> None:
    _, record = labelled(loop)
    with loop.services.database.transaction() as session:
        for state, grade in (("accepted", "good"), ("withdrawn", "fair"), ("preparing", "poor")):
            _machine_label(session, loop, record.id, state, grade)
    page = browser_as("viewer").get(place(loop, record.id)).text
    machine = page.split("Machine labels")[1].split("</section>")[0]
    assert "accepted" in machine
    assert "drawn to be checked" in machine
    assert "preparing" not in machine


def _machine_label(session: Session, loop: Loop, record_id: int, state: str, grade: str) -> None:
    acceptance = Acceptance(
        project_id=loop.project_id,
        model_version_id=loop.versions[-1].id,
        state=state,
        target_error=0.05,
        delta=0.1,
        threshold=0.9,
        reason="",
        created_at=loop.clock() + timedelta(minutes=1),
    )
    session.add(acceptance)
    session.flush()
    session.add(
        MachineLabel(
            acceptance_id=acceptance.id,
            record_id=record_id,
            grade=grade,
            confidence=0.97,
            is_audited=state == "accepted",
        )
    )


def test_it_says_what_is_missing_before_there_are_verdicts(
    loop: Loop, browser_as: ClientAs
) -> None:
    record_id = put(loop, "brand new", title="mug", price="3")
    page = browser_as("viewer").get(place(loop, record_id)).text
    assert "The verdict on this record is being made." in page
    assert "Nobody has been asked about this record." in page
    assert "Similar records are being prepared" in page


def test_it_is_in_chinese(loop: Loop, browser_as: ClientAs) -> None:
    draw(loop)
    _, record = labelled(loop)
    page = browser_as("viewer").get(place(loop, record.id), params={"lang": "zh"}).text
    for words in ("判定", "相似记录", "版本", "存疑", "风险"):
        assert words in page
