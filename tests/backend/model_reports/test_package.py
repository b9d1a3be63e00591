"""A downloaded model answers as the product does for the same records."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from active_learning.artifacts import load_artifact
from active_learning.portable import load_model
from active_learning.portable.packing import write_folder
from backend.core.database import Database
from backend.core.exceptions import Conflict
from backend.core.services import Services
from backend.features.label_features import LabelFeatures
from backend.features.model_version import load_model_version
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.model_reports.package import ModelPackage, model_package
from backend.model_reports.service import ModelReports
from backend.models import Job, Record
from backend.projects.service import label_schema_of
from tests.backend.conftest import ClientAs
from tests.backend.training.loop import Loop


def package_of(loop: Loop, number: int) -> ModelPackage:
    with loop.services.database.reading() as session:
        report = ModelReports(session, loop.clock).report(loop.project(), number)
    return model_package(loop.services, loop.project(), loop.versions[number - 1], report)


def answers_of_the_product(loop: Loop, number: int, ids: list[int]) -> np.ndarray:
    features = FeatureStore(loop.services)
    trained = load_model_version(loop.services, features, loop.versions[number - 1])
    assert trained is not None
    job = Job(id="x", name="x", project_id=loop.project_id, enqueued_at=loop.clock())
    reader = LabelFeatures(
        loop.services,
        features,
        JobContext(loop.services.database, loop.clock, job),
        label_schema_of(loop.project()),
        None,
        trained.choice,
    )
    rows = reader.records(ids, trained.artifact.signals)
    return trained.artifact.classifier.predict_all(rows).grades


def records_of(loop: Loop) -> list[Record]:
    with loop.services.database.reading() as session:
        from sqlmodel import select

        return list(session.exec(select(Record)).all())


def test_the_download_answers_as_the_product(
    loop: Loop, services: Services, client_as: ClientAs, tmp_path: Path
) -> None:
    place = f"/api/v1/projects/{loop.project_id}/models/2/download"
    assert client_as("engineer").get(place).status_code == 403
    answer = client_as("lead").get(place)
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="assay-shop-v2.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "assay-shop-v2"
    model = load_model(folder)
    records = records_of(loop)
    found = model.predict([dict(record.fields) for record in records])
    wanted = answers_of_the_product(loop, 2, [record.id for record in records])
    np.testing.assert_array_equal(found.grades, wanted)
    assert model.grades == label_schema_of(loop.project()).grades
    schema = json.loads((folder / "label_schema.json").read_text())
    assert [each["value"] for each in schema["grade"]["choices"]] == list(model.grades)


def test_the_card_tells_what_was_measured(loop: Loop, tmp_path: Path) -> None:
    package = package_of(loop, 2)
    write_folder(tmp_path / "model", package.config, package.files)
    report = json.loads((tmp_path / "model" / "report.json").read_text())
    accuracy = report["breakdown"]["accuracy"]
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text()
    for words in (
        "# Shop, model version 2",
        f"Trained on {loop.versions[1].training_labels} labels",
        f"{100 * accuracy['value']:.1f} % ({100 * accuracy['low']:.1f}",
        "more records needed",
        "scikit-learn): BSD-3-Clause",
        "load_model(",
    ):
        assert words in card, words
    chinese = (tmp_path / "model" / "MODEL_CARD.zh.md").read_text()
    assert "模型版本 2" in chinese


def test_what_is_damaged_cannot_be_taken_along(loop: Loop) -> None:
    path = loop.services.settings.models_dir / loop.versions[0].artifact / "signals.json"
    path.write_text("{}")
    with pytest.raises(Conflict, match="was altered"):
        package_of(loop, 1)


@pytest.mark.slow
def test_a_fine_tuned_encoder_goes_with_it(
    new_loop: Callable[..., Loop],
    sqlite_database: Database,
    tiny_transformer: str,
    tmp_path: Path,
) -> None:
    loop = new_loop(
        sqlite_database,
        records=260,
        encoder=tiny_transformer,
        batch_size=100,
        audit_share=0.3,
        fine_tune_after=60,
    )
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    tuned = loop.versions[-1]
    assert tuned.encoder_folder is not None
    package = package_of(loop, tuned.number)
    write_folder(tmp_path / "model", package.config, package.files)
    assert package.config.encoder_folder is not None
    assert (tmp_path / "model" / package.config.encoder_folder / "config.json").exists()
    model = load_model(tmp_path / "model", device="cpu", threads=1)
    records = records_of(loop)[:40]
    found = model.predict([dict(record.fields) for record in records])
    wanted = answers_of_the_product(loop, tuned.number, [record.id for record in records])
    np.testing.assert_allclose(found.grades, wanted, atol=1e-3)
    assert load_artifact(tmp_path / "model" / "classifier").facts.encoder_revision == tuned.encoder
