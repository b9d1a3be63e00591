"""What the store keeps of consensus labels, and what it knew before anyone answered."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import Session, col, select

from backend.consensus.repository import (
    consensus_row,
    drop_consensus,
    first_predictions,
    label_versions,
    put_consensus,
    unswayed_probabilities,
)
from backend.consensus.rule import RecordConsensus
from backend.models import ConsensusLabel, LabelFinding, ModelVersion, Prediction
from backend.registry.repository import ASSESSMENT
from backend.words import Message
from tests.backend.annotations.conftest import NOW, Seeded

SAID = RecordConsensus("good", 0.9, {"good": 0.9}, {"i": 0.5}, {"f": 0.25}, 2, 1, True, "m", 0.7)


@pytest.fixture
def session(seeded: Seeded) -> Iterator[Session]:
    with Session(seeded.database.engine) as opened:
        yield opened


def row(seeded: Seeded, task_id: int, wanted: int | None = None, **changes: Any) -> dict[str, Any]:
    said = RecordConsensus(**{**vars(SAID), **changes})
    return consensus_row(seeded.project_id, task_id, said, wanted, NOW)


def kept(session: Session) -> dict[int, dict[str, Any]]:
    found = session.exec(select(ConsensusLabel).execution_options(populate_existing=True))
    return {each.task_id: each.model_dump() for each in found}


def test_labels_are_put_replaced_and_dropped_each_alone(seeded: Seeded, session: Session) -> None:
    put_consensus(session, [])
    assert kept(session) == {}
    first = {n: row(seeded, n, wanted=n) for n in (1, 2, 3)}
    put_consensus(session, list(first.values()))
    assert kept(session) == first
    changed = row(seeded, 2, grade=None, votes=4, probabilities={"poor": 0.5})
    added = row(seeded, 4)
    put_consensus(session, [changed, added])
    assert kept(session) == {**first, 2: changed, 4: added}
    assert label_versions(session, seeded.project_id) == {
        n: (each["fingerprint"], each["answers_wanted"]) for n, each in kept(session).items()
    }
    assert set(label_versions(session, seeded.project_id, [2, 4, 9])) == {2, 4}
    assert label_versions(session, seeded.project_id, []) == {}
    assert label_versions(session, seeded.project_id + 1) == {}
    drop_consensus(session, [1, 4])
    assert set(kept(session)) == {2, 3}
    drop_consensus(session, [])
    assert set(kept(session)) == {2, 3}


def test_of_several_opinions_of_a_task_the_first_is_known(seeded: Seeded, session: Session) -> None:
    version = ModelVersion(
        project_id=seeded.project_id,
        number=1,
        fingerprint="1",
        artifact="1",
        encoder="characters",
        training_labels=1,
        audit_labels=0,
        metrics={},
        created_at=NOW,
    )
    later = version.model_copy(update={"number": 2, "fingerprint": "2", "id": None})
    later = ModelVersion(**later.model_dump())
    session.add_all([version, later])
    session.flush()
    for number, (made, task_id) in enumerate([(version, 2), (later, 2), (version, 1), (later, 1)]):
        score = 0.5 + number / 10
        session.add(
            Prediction(
                task_id=task_id,
                model_version_id=made.id,
                grade=f"grade {number}",
                score=score,
                grade_probabilities={"good": score},
                issue_probabilities={},
                field_probabilities={},
                created_at=NOW,
            )
        )
        session.flush()
    found = {2: ("grade 0", 0.5, {"good": 0.5}), 1: ("grade 2", 0.7, {"good": 0.7})}
    assert first_predictions(session, seeded.project_id) == found
    assert first_predictions(session, seeded.project_id, [1, 7]) == {1: found[1]}
    assert first_predictions(session, seeded.project_id, []) == {}
    assert first_predictions(session, seeded.project_id + 1) == {}
    assert session.exec(select(Prediction).where(col(Prediction.task_id) == 2)).first() is not None


def test_the_newest_judge_s_word_counts(seeded: Seeded, session: Session) -> None:
    versions = [
        ModelVersion(
            project_id=seeded.project_id,
            number=number,
            fingerprint=str(number),
            artifact=str(number),
            encoder="characters",
            training_labels=1,
            audit_labels=0,
            metrics={} if number == 3 else {ASSESSMENT: {}},
            created_at=NOW,
        )
        for number in (1, 2, 3)
    ]
    session.add_all(versions)
    session.flush()
    assert unswayed_probabilities(session, seeded.project_id) == {}
    for version in versions:
        for task_id in (1, 2):
            session.add(
                LabelFinding(
                    project_id=seeded.project_id,
                    model_version_id=version.id,
                    task_id=task_id,
                    grade="good",
                    suggested="good",
                    grade_probabilities={"good": version.number / 4} if task_id == 1 else {},
                    suspicion=0.1,
                    is_suspect=False,
                    value=0.0,
                    value_group="harmful",
                    relabel_score=0.0,
                    reason=Message("{doubt}", doubt="?"),
                )
            )
    session.flush()
    assert unswayed_probabilities(session, seeded.project_id) == {1: {"good": 0.5}}
    assert unswayed_probabilities(session, seeded.project_id, [2]) == {}
