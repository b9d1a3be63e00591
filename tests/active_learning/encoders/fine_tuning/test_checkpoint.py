"""Checkpoints: the newest whole one, of this very training, or none."""

from pathlib import Path

import pytest
import torch

from active_learning.encoders.fine_tuning.checkpoint import FACTS, STATE, Checkpoint
from active_learning.exceptions import DiskFull


def test_what_was_written_is_read_by_the_same_training_only(tmp_path: Path) -> None:
    place = tmp_path / "checkpoint"
    Checkpoint(place, "one").write({"epoch": 1}, {"weights": torch.arange(3)})
    Checkpoint(place, "one").write({"epoch": 2}, {"weights": torch.arange(4)})
    found = Checkpoint(place, "one").read()
    assert found is not None
    assert found[0]["epoch"] == 2
    assert found[1]["weights"].tolist() == [0, 1, 2, 3]
    assert Checkpoint(place, "other").read() is None
    Checkpoint(place, "one").clear()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", b"PK\x03\x04 torn"])
def test_a_damaged_one_is_ignored(tmp_path: Path, damage: bytes) -> None:
    checkpoint = Checkpoint(tmp_path / "checkpoint", "one")
    checkpoint.write({"epoch": 1}, {"weights": torch.arange(3)})
    (tmp_path / "checkpoint" / STATE).write_bytes(damage)
    assert checkpoint.read() is None
    (tmp_path / "checkpoint" / FACTS).write_bytes(damage)
    assert checkpoint.read() is None


def test_killed_between_the_renames_the_former_counts(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "checkpoint", "one")
    checkpoint.write({"epoch": 1}, {"weights": torch.arange(3)})
    (tmp_path / "checkpoint").rename(tmp_path / "checkpoint.old")
    found = checkpoint.read()
    assert found is not None
    assert found[0]["epoch"] == 1


@pytest.mark.parametrize(
    "failure",
    [
        OSError(28, "No space left on device"),
        RuntimeError("PytorchStreamWriter failed: No space left on device"),
    ],
)
def test_a_full_disk_leaves_the_former_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    checkpoint = Checkpoint(tmp_path / "checkpoint", "one")
    checkpoint.write({"epoch": 1}, {"weights": torch.arange(3)})

    def fail(*_arguments: object) -> None:
        raise failure

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(DiskFull, match="no space"):
        checkpoint.write({"epoch": 2}, {"weights": torch.arange(3)})
    found = checkpoint.read()
    assert found is not None
    assert found[0]["epoch"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
