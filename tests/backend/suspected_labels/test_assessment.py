"""Labels are judged after each retraining: injected errors come first, few labels are left."""

import re
from collections.abc import Callable

from sqlmodel import col, select

from backend.core.database import Database
from backend.jobs.queue import enqueue
from backend.models import LabelFinding
from backend.projects.service import ProjectsService
from backend.suspected_labels.schemas import FindingKind, LabelFindingPage
from backend.suspected_labels.service import ASSESS, LabelFindings, request_assessment
from backend.training.service import LabelWeights, TrainingService
from tests.backend.suspected_labels.conftest import is_wrong
from tests.backend.training.loop import Loop, true_grade
from tests.fixtures.chinese import in_chinese


def page(loop: Loop, kind: FindingKind, **place: int) -> LabelFindingPage:
    with loop.services.database.reading() as session:
        found = LabelFindings(session, loop.clock)
        return found.page(loop.project(), kind, **place)


def rows(loop: Loop) -> list[LabelFinding]:
    with loop.services.database.reading() as session:
        return list(session.exec(select(LabelFinding).order_by(col(LabelFinding.task_id))))


def train(loop: Loop, weights: LabelWeights | None) -> str:
    loop.clock.advance()
    with loop.services.database.transaction() as session:
        project = ProjectsService(session, loop.clock).get(loop.project_id)
        service = TrainingService(session, loop.clock)
        job_id = service.request_retraining(project, actor="test", weights=weights)
    loop.run()
    assert loop.failed == []
    return job_id


def test_injected_errors_are_at_the_top(labelled: Callable[..., Loop], database: Database) -> None:
    loop = labelled(database)
    suspects, everything = page(loop, "suspects"), page(loop, "all")
    wrong = {item.task_id for item in everything.items if is_wrong(item.external_id)}
    assert everything.total == 60
    assert len(wrong) >= 4
    top = {item.task_id for item in everything.items[: len(wrong)]}
    assert len(top & wrong) >= 0.8 * len(wrong)
    first = suspects.items[0]
    assert first.task_id in wrong
    truth = ("good", "fair", "poor")[int(first.external_id) % 3]
    assert first.suggested == truth != first.grade
    assert [answer.grade for answer in first.answers] == [first.grade]
    assert "is the most probable other label" in first.reason
    assert "最可能是" in in_chinese(first.reason_message)
    assert suspects.assessment is not None
    assert suspects.assessment.suspected == suspects.total
    assert suspects.assessment.noise_rate is not None
    assert 0.02 < suspects.assessment.noise_rate < 0.3


def test_values_are_those_of_training_labels_and_claim_what_was_measured(loop: Loop) -> None:
    everything = page(loop, "all", limit=1_000)
    measured = everything.assessment
    assert measured is not None
    audits = [item for item in everything.items if item.is_audit]
    assert len(audits) == measured.audit_labels > 0
    assert {(item.value, item.value_group) for item in audits} == {(None, "audit")}
    assert sum(measured.groups.values()) == measured.labels == 60 - len(audits)
    for kind in ("harmful", "redundant", "important"):
        found = page(loop, kind, limit=1_000)  # type: ignore[arg-type]
        assert found.total == measured.groups[kind]
        assert {item.value_group for item in found.items} <= {kind}
    harmful = {item.task_id for item in page(loop, "harmful").items}
    assert harmful == {
        item.task_id for item in everything.items if item.is_suspect and not item.is_audit
    }
    assert len(measured.effects) == 4
    free = [effect for effect in measured.effects if effect["chosen"][1] >= -0.005]
    assert (measured.groups["redundant"] > 0) == bool(free)
    assert "held-out accuracy" in measured.summary
    assert "留出集准确率" in in_chinese(measured.summary_message or "")


def test_one_more_annotator_is_asked_for_where_the_answers_are_doubted(loop: Loop) -> None:
    again = page(loop, "relabel", limit=1_000)
    scores = [item.relabel_score for item in again.items]
    assert scores == sorted(scores, reverse=True)
    assert again.total == 60
    assert is_wrong(again.items[0].external_id)
    assert "1 of 1 annotator said" in again.items[0].reason


def test_a_reason_leaves_the_probability_to_the_desk(loop: Loop) -> None:
    items = page(loop, "all", limit=1_000).items
    assert {item.is_suspect for item in items} == {True, False}
    for item in items:
        for words in (item.reason, in_chinese(item.reason_message)):
            assert re.findall(r"\d+ ?%|\d\.\d+", words) == []


def test_running_it_again_replaces_the_findings(loop: Loop) -> None:
    before = [row.model_dump(exclude={"id"}) for row in rows(loop)]
    (version,) = loop.versions
    now = loop.clock()
    with loop.services.database.transaction() as session:
        request_assessment(session, loop.project_id, version.id, now)
    loop.run()
    assert [row.id for row in rows(loop)] == [row.id for row in rows(loop)]
    with loop.services.database.transaction() as session:
        job_id = enqueue(
            session,
            ASSESS,
            project_id=loop.project_id,
            args={"model_version_id": version.id},
            key="again",
            now=now,
        )
    loop.run()
    assert (loop.job(job_id).result or {})["assessed"] is True
    assert [row.model_dump(exclude={"id"}) for row in rows(loop)] == before


def test_few_labels_are_not_judged_and_it_says_so(
    labelled: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = labelled(sqlite_database, batch_size=24)
    found = page(loop, "suspects")
    assert found.total == 0
    assert found.assessment is not None
    assert "30 are needed" in (found.assessment.why_skipped or "")
    assert "至少需要 30" in in_chinese(found.assessment.skipped_message or "")
    assert rows(loop) == []


def test_training_by_value_makes_another_version_of_the_same_labels(
    labelled: Callable[..., Loop], database: Database
) -> None:
    loop = labelled(database)
    train(loop, "value")
    first, second = loop.versions
    assert second.training_labels == first.training_labels
    assert second.fingerprint != first.fingerprint
    assert (first.metrics["label_weights"], second.metrics["label_weights"]) == ("none", "value")
    models = loop.services.settings.models_dir
    weights = [
        (models / version.artifact / "weights.safetensors").read_bytes()
        for version in (first, second)
    ]
    assert weights[0] != weights[1]
    again = train(loop, "value")
    assert (loop.job(again).result or {})["trained"] is False
    assert page(loop, "all").model_version == 2
    train(loop, None)  # as the policy says: all alike
    train(loop, "none")
    assert len(loop.versions) == 2


def test_the_policy_weighs_labels_in_automatic_retrainings(
    labelled: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = labelled(sqlite_database, label_weights="value")
    assert [version.metrics["label_weights"] for version in loop.versions] == ["value"]
    train(loop, "none")
    assert [version.metrics["label_weights"] for version in loop.versions] == ["value", "none"]


def test_with_few_labels_value_weighs_nothing_and_says_so(
    labelled: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = labelled(sqlite_database, batch_size=24, label_weights="value")
    assert loop.versions[0].metrics["label_weights"] == "none: fewer than 30 labels"


def test_only_the_newest_version_is_judged_by_the_labels_of_now(loop: Loop) -> None:
    loop.revise(1, true_grade)
    train(loop, None)
    assert page(loop, "all").model_version == 2
    assert page(loop, "suspects").total < 4
    first = loop.versions[0]
    with loop.services.database.transaction() as session:
        job_id = enqueue(
            session,
            ASSESS,
            project_id=loop.project_id,
            args={"model_version_id": first.id},
            key="late",
            now=loop.clock(),
        )
    loop.run()
    assert "newer" in (loop.job(job_id).result or {})["why"]
