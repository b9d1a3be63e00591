"""A model that was taken along says what it said at home, or says what is wrong."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from active_learning.artifacts import TrainingFacts, load_artifact, save_artifact
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import RecordFeatures
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.exceptions import (
    ArtifactCorrupt,
    ArtifactExists,
    ArtifactMissing,
    EncoderUnavailable,
)
from active_learning.portable import load_model
from active_learning.portable.folder import (
    CLASSIFIER,
    CONFIG,
    PackedFile,
    PortableConfig,
    files_below,
)
from active_learning.portable.packing import write_folder, write_zip

RECORDS = [
    {"title": f"Kettle number {n}" if n % 3 else "", "price": n % 7 if n % 5 else None}
    for n in range(60)
]
CONFIG_OF_SHOP = PortableConfig(
    project="Shop",
    model_version=3,
    made_at="2026-05-04T12:00:00+00:00",
    encoder_name="characters",
    encoder_revision="characters-512-v1",
    encoder_folder=None,
    encoder_packages={"scikit-learn": "1.7"},
    is_ordered=True,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored classifier, with the cache of its embeddings beside it."""
    folder = tmp_path_factory.mktemp("home")
    signals = ColumnSignals.fit(RECORDS)
    features = RecordFeatures(EmbeddingCache(folder / "cache", CharacterEncoder()), signals)
    classifier = RecordClassifier(features.layout, ["good", "fair", "poor"], ["empty"])
    grades = ["poor" if not each["title"] else "good" for each in RECORDS]
    empty = np.array([[not each["title"]] for each in RECORDS], np.int8)
    marks = np.array([[not each["title"], each["price"] is None] for each in RECORDS], np.int8)
    classifier.fit(features.transform(RECORDS), grades, issues=empty, faulty_fields=marks)
    facts = TrainingFacts("characters", "characters-512-v1", "abc")
    save_artifact(folder / "v3", classifier, signals, facts)
    return folder


def packed(home: Path) -> list[PackedFile]:
    return [*files_below(home / "v3", CLASSIFIER), PackedFile("MODEL_CARD.md", b"# Shop")]


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    write_folder(tmp_path / "model", CONFIG_OF_SHOP, packed(home))
    return tmp_path / "model"


def test_the_same_records_get_the_same_answers(home: Path, folder: Path) -> None:
    artifact = load_artifact(home / "v3")
    cached = EmbeddingCache(home / "cache", CharacterEncoder())
    wanted = artifact.classifier.predict_all(
        RecordFeatures(cached, artifact.signals).transform(RECORDS)
    )
    model = load_model(folder)
    found = model.predict(RECORDS)
    np.testing.assert_array_equal(found.grades, wanted.grades)
    np.testing.assert_array_equal(found.issues, wanted.issues)
    np.testing.assert_array_equal(found.faulty_fields, wanted.faulty_fields)
    for row, verdict in enumerate(model.score(RECORDS)):
        shares = wanted.grades[row]
        assert verdict["grade"] == model.grades[int(shares.argmax())]
        assert verdict["confidence"] == shares.max()
        assert verdict["probabilities"] == dict(zip(model.grades, shares.tolist(), strict=True))
        assert verdict["risk"] == pytest.approx(1 - shares[0])
        assert verdict["doubt"] == pytest.approx(1 - np.diff(np.sort(shares))[-1])
        assert verdict["issue_probabilities"] == {"empty": wanted.issues[row, 0]}
        named = [each["name"] for each in verdict["issues"]]
        assert named == (["empty"] if wanted.issues[row, 0] >= 0.5 else [])
        assert verdict["model_version"] == 3
    assert json.loads(json.dumps(model.score(RECORDS[:3]))) == model.score(RECORDS[:3])


def test_what_a_record_lacks_is_missing_and_what_it_has_more_is_not_read(folder: Path) -> None:
    model = load_model(folder)
    full = model.score([{"title": "", "price": None}])
    assert model.score([{}]) == full
    assert model.score([{"price": float("nan"), "other": 3}]) == full
    assert model.score([{"price": None, "title": ""}]) == full  # whatever the order
    assert model.score([]) == []


def test_neither_store_nor_server_is_needed(folder: Path) -> None:
    blocked = ["backend", "labeling", "sqlmodel", "sqlalchemy", "fastapi"]
    script = f"""
import sys
for name in {blocked}: sys.modules[name] = None
from active_learning.portable import load_model
print(load_model({str(folder)!r}).score([{{"title": "Kettle"}}])[0]["grade"])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() in {"good", "fair", "poor"}


def test_a_zip_holds_the_same_and_is_the_same_each_time(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        write_zip(tmp_path / name / "shop.zip", CONFIG_OF_SHOP, packed(home))
    one, two = (tmp_path / name / "shop.zip" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    assert load_model(tmp_path / "out" / "shop").score(RECORDS) == load_model(folder).score(RECORDS)
    with pytest.raises(ArtifactMissing, match="unpack it"):
        load_model(one)


def test_nothing_is_overwritten(home: Path, folder: Path) -> None:
    with pytest.raises(ArtifactExists, match="name another place"):
        write_folder(folder, CONFIG_OF_SHOP, packed(home))


@pytest.mark.parametrize(
    "place", [CONFIG, "MODEL_CARD.md", "classifier/weights.safetensors", "classifier/manifest.json"]
)
@pytest.mark.parametrize("damage", ["flip", "gone"])
def test_damage_is_found(folder: Path, place: str, damage: str) -> None:
    path = folder / place
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    wanted = ArtifactMissing if (place, damage) == (CONFIG, "gone") else ArtifactCorrupt
    with pytest.raises(wanted, match=r"missing|altered|cannot be read"):
        load_model(folder)


def test_what_does_not_belong_to_the_model_is_not_loaded(folder: Path) -> None:
    (folder / "classifier" / "pytorch_model.bin").write_bytes(b"bad")
    with pytest.raises(ArtifactCorrupt, match="no part of the model"):
        load_model(folder)
    (folder / "classifier" / "pytorch_model.bin").unlink()
    shutil.copy(folder / CONFIG, folder / "notes.json")  # beside it anybody may note something
    load_model(folder)


def test_another_encoder_under_the_name_is_refused(home: Path, tmp_path: Path) -> None:
    other = PortableConfig(
        **{**vars(CONFIG_OF_SHOP), "encoder_revision": "characters-512-v0"}  # an older release
    )
    write_folder(tmp_path / "old", other, packed(home))
    with pytest.raises(EncoderUnavailable, match=r"scikit-learn==1\.7"):
        load_model(tmp_path / "old")
