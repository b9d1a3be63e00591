"""Stored classifiers come back the same, or say what is wrong."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from active_learning import artifacts
from active_learning.artifacts import TrainingFacts, load_artifact, save_artifact
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.exceptions import (
    ArtifactCorrupt,
    ArtifactExists,
    ArtifactMissing,
    DiskFull,
    NotFitted,
)
from tests.active_learning.classifiers.test_record_classifier import trained
from tests.active_learning.conftest import CLASSES, ISSUES, World

FACTS = TrainingFacts(
    "characters", "characters-64-v1", "abc123", [4, 8, 15], {"accuracy": 0.9}, parent="v1"
)


@pytest.fixture
def saved(world: World, tmp_path: Path) -> Path:
    save_artifact(tmp_path / "models" / "v2", trained(world), world.signals, FACTS)
    return tmp_path / "models" / "v2"


def test_the_round_trip_is_exact(world: World, saved: Path) -> None:
    found = load_artifact(saved)
    before, after = (c.predict_all(world.features) for c in (trained(world), found.classifier))
    np.testing.assert_array_equal(before.grades, after.grades)
    np.testing.assert_array_equal(before.issues, after.issues)
    np.testing.assert_array_equal(before.faulty_fields, after.faulty_fields)
    assert found.facts == FACTS
    assert found.signals.fingerprint() == world.signals.fingerprint()
    assert not [path for path in saved.parent.iterdir() if path != saved]


def test_a_classifier_without_marked_fields_can_be_stored(world: World, tmp_path: Path) -> None:
    plain = RecordClassifier(world.layout, CLASSES).fit(world.features[:50], world.grades[:50])
    save_artifact(tmp_path / "v1", plain, world.signals, FACTS)
    np.testing.assert_array_equal(
        load_artifact(tmp_path / "v1").classifier.predict_proba(world.features),
        plain.predict_proba(world.features),
    )


def test_a_loaded_classifier_is_a_warm_start(world: World, saved: Path) -> None:
    known = load_artifact(saved).classifier
    again = RecordClassifier(world.layout, CLASSES, ISSUES).fit(
        world.features[:250],
        world.grades[:250],
        faulty_fields=world.faulty[:250],
        warm_start=known,
    )
    assert again.score(world.features[400:], world.grades[400:].tolist()) > 0.85


@pytest.mark.parametrize("name", ["weights.safetensors", "signals.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_damage_is_found(saved: Path, name: str, damage: str) -> None:
    path = saved / name
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(data[:9] + bytes([data[9] ^ 0xFF]) + data[10:])
    expected = ArtifactMissing if (name, damage) == ("manifest.json", "gone") else ArtifactCorrupt
    with pytest.raises(expected):
        load_artifact(saved)


def test_another_format_is_refused(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(ArtifactCorrupt, match="99"):
        load_artifact(saved)


def test_a_full_disk_leaves_nothing_behind(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifacts, "_write", full)
    with pytest.raises(DiskFull, match="free space"):
        save_artifact(tmp_path / "v1", trained(world), world.signals, FACTS)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_and_nothing_unfitted_is_stored(world: World, saved: Path) -> None:
    with pytest.raises(ArtifactExists):
        save_artifact(saved, trained(world), world.signals, FACTS)
    with pytest.raises(NotFitted):
        save_artifact(
            saved.parent / "v3", RecordClassifier(world.layout, CLASSES), world.signals, FACTS
        )
    with pytest.raises(ArtifactMissing):
        load_artifact(saved.parent / "v9")
