"""Every current record has the champion's verdict, whatever happens meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlmodel import col, select

from active_learning.verdicts import verdict_files
from backend.core.database import Database
from backend.features.model_version import load_model_version
from backend.features.store import FeatureStore
from backend.jobs.exceptions import JobInterrupted
from backend.models import Dataset, Job, Record
from backend.projects.service import label_schema_of
from backend.records import repository as records
from backend.scoring import refreshing
from backend.scoring.freshness import is_refresh_due
from backend.scoring.refreshing import refresh_verdicts
from backend.scoring.verdict_folder import VerdictFolder
from tests.backend.training.loop import START, Loop, fields_of


class Quiet:
    """A job that nobody stops."""

    def progress(self, _share: float, _message: object = "") -> None: ...

    def should_stop(self) -> bool:
        return False

    def check_cancelled(self) -> None: ...


class Killed(Quiet):
    """A job that ends at its n-th safe point."""

    def __init__(self, after: int) -> None:
        self.left = after

    def check_cancelled(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise JobInterrupted("the worker stops")


def refresh(loop: Loop, context: Any = None) -> dict[str, Any]:
    """What the job does."""
    features = FeatureStore(loop.services)
    return refresh_verdicts(loop.services, features, context or Quiet(), loop.project_id)


def folder(loop: Loop) -> VerdictFolder:
    return VerdictFolder(loop.services.settings.verdicts_dir, loop.project_id)


def by_the_classifier(loop: Loop) -> tuple[list[int], Any]:
    """Ids of the current records, and what the champion says of them all at once."""
    with loop.services.database.reading() as session:
        rows = session.exec(select(Record).where(col(Record.is_current)).order_by(col(Record.id)))
        held = list(rows)
    features = FeatureStore(loop.services)
    champion = loop.versions[-1]
    trained = load_model_version(loop.services, features, champion)
    assert trained is not None
    fields = label_schema_of(loop.project()).fields
    matrix = features.transform(
        trained.artifact.signals,
        [{name: record.fields.get(name) for name in fields} for record in held],
        lambda *_: None,
        lambda: False,
        trained.choice,
    )
    return [record.id for record in held], trained.artifact.classifier.predict_all(matrix)


def check_equal(loop: Loop) -> None:
    """What is read is what the champion says of each record."""
    ids, said = by_the_classifier(loop)
    verdicts = folder(loop).current()
    assert verdicts is not None
    assert verdicts.record_ids.tolist() == ids
    read = verdicts.predictions(slice(None))
    np.testing.assert_allclose(read.grades, said.grades, atol=1e-5)
    np.testing.assert_allclose(read.issues, said.issues, atol=1e-5)
    np.testing.assert_allclose(read.faulty_fields, said.faulty_fields, atol=1e-5)
    assert verdicts.grades.tolist() == said.grades.argmax(axis=1).tolist()
    np.testing.assert_allclose(verdicts.risk, 1 - said.grades[:, 0], atol=1e-5)


def change_records(loop: Loop, *, new: int, changed: int) -> None:
    """An import brings new records, and others back with another content."""
    with loop.services.database.transaction() as session:
        dataset = session.exec(select(Dataset)).one()
        known = session.exec(select(Record).where(col(Record.is_current))).all()
        for record in known[:changed]:
            record.is_current = False
            session.add(record)
            session.flush()
            session.add(_record(dataset.id, record.external_id, len(known) + record.id))
        for number in range(new):
            session.add(_record(dataset.id, f"new {number}", 1_000 + number))
        records.raise_generation(session, dataset.id)


def _record(dataset_id: int, external_id: str, number: int) -> Record:
    return Record(
        dataset_id=dataset_id,
        external_id=external_id,
        content_hash=f"{number:064x}",
        kind="product",
        fields=fields_of(number),
        source="test",
        created_at=START + timedelta(days=1),
    )


def test_a_promotion_brings_verdicts_on_every_record(
    judged: Callable[..., Loop], database: Database
) -> None:
    loop = judged(database)
    check_equal(loop)
    assert not is_refresh_due(loop.services, loop.project_id)
    verdicts = folder(loop).current()
    assert verdicts is not None
    assert verdicts.facts.model_version == loop.versions[-1].number


def test_after_an_import_only_what_is_new_is_judged(loop: Loop) -> None:
    change_records(loop, new=5, changed=3)
    assert is_refresh_due(loop.services, loop.project_id)
    done = refresh(loop)
    assert (done["records"], done["judged"]) == (95, 8)
    check_equal(loop)
    assert refresh(loop)["refreshed"] is False
    assert not is_refresh_due(loop.services, loop.project_id)


def test_where_much_is_new_the_features_of_all_are_made(loop: Loop) -> None:
    change_records(loop, new=60, changed=10)
    assert refresh(loop)["judged"] == 70
    check_equal(loop)


def test_earlier_verdicts_are_read_until_the_new_ones_are_whole(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "CHUNK", 10)
    change_records(loop, new=40, changed=0)
    before = folder(loop).current()
    assert before is not None
    for safe_points in (1, 3, 5):
        with pytest.raises(JobInterrupted):
            refresh(loop, Killed(safe_points))
        read = folder(loop).current()
        assert read is not None
        assert read.facts == before.facts
    written = []
    add = verdict_files.VerdictWriter.add
    monkeypatch.setattr(
        verdict_files.VerdictWriter,
        "add",
        lambda writer, said: (written.append(len(said.grades)), add(writer, said))[1],
    )
    refresh(loop)
    assert sum(written) < 130, "what a killed refresh has written is not made again"
    check_equal(loop)
    assert len([each for each in folder(loop).path.iterdir() if each.is_dir()]) == 1


def test_a_beginning_for_other_records_is_thrown_away(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "CHUNK", 10)
    change_records(loop, new=40, changed=0)
    with pytest.raises(JobInterrupted):
        refresh(loop, Killed(4))
    change_records(loop, new=0, changed=7)
    refresh(loop)
    check_equal(loop)


def test_without_a_champion_nobody_judges(
    new_loop: Callable[..., Loop], database: Database
) -> None:
    loop = new_loop(database)
    assert refresh(loop)["refreshed"] is False
    assert not is_refresh_due(loop.services, loop.project_id)


def test_the_job_is_asked_for_by_the_retraining(loop: Loop) -> None:
    with loop.services.database.reading() as session:
        names = session.exec(select(Job.name)).all()
    assert names.count("scoring.refresh_verdicts") == 1
