"""Fine-tuning learns, repeats itself, survives a kill, and leaves an encoder that can be loaded."""

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression

from active_learning.encoders.base import Encoder
from active_learning.encoders.fine_tuning.options import FineTuningOptions
from active_learning.encoders.fine_tuning.training import fine_tune
from active_learning.encoders.loading import load_encoder
from active_learning.exceptions import Cancelled, EncoderUnavailable, NoLabels, ShapeMismatch

OPTIONS = FineTuningOptions(epochs=4, learning_rate=3e-3, patience=4, validation_share=0.2)
Labelled = tuple[list[str], NDArray[np.intp]]


def weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    return load_file(folder / "model.safetensors")


def separation(encoder: Encoder, labelled: Labelled, held_out: tuple[int, ...]) -> float:
    """Accuracy on the rows held out of a linear head on the other rows' embeddings."""
    texts, grades = labelled
    vectors, test = encoder.encode(texts), list(held_out)
    train = np.setdiff1d(np.arange(len(texts)), test)
    head = LogisticRegression(max_iter=500).fit(vectors[train], grades[train])
    return float(head.score(vectors[test], grades[test]))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_grades_come_apart_in_the_embeddings(
    method: str, tiny_transformer: str, labelled_texts: Labelled, tmp_path: Path
) -> None:
    options = FineTuningOptions(**{**asdict(OPTIONS), "method": method, "epochs": 6})
    texts, grades = labelled_texts
    found = fine_tune(
        texts, grades, 3, tmp_path / "tuned", base=tiny_transformer, options=options, device="cpu"
    )
    assert found.validation_accuracy is not None
    assert found.validation_accuracy > 0.9
    assert len(found.held_out) == 48
    frozen = load_encoder(tiny_transformer, device="cpu", dtype="float32")
    tuned = load_encoder(tiny_transformer, device="cpu", dtype="float32", fine_tuned=found.folder)
    assert tuned.revision != frozen.revision
    before = separation(frozen, labelled_texts, found.held_out)
    after = separation(tuned, labelled_texts, found.held_out)
    assert after > 0.9
    assert after > before
    assert not list(tmp_path.glob("*.checkpoint*"))


def test_the_same_seed_gives_the_same_weights(
    tiny_transformer: str, labelled_texts: Labelled, tmp_path: Path
) -> None:
    texts, grades = labelled_texts
    tuned = [
        weights(
            fine_tune(
                texts[:80],
                grades[:80],
                3,
                tmp_path / name,
                base=tiny_transformer,
                options=FineTuningOptions(**{**asdict(OPTIONS), "seed": seed, "epochs": 2}),
                device="cpu",
            ).folder
        )
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    ]
    for name, values in tuned[0].items():
        np.testing.assert_array_equal(values, tuned[1][name])
    assert any(not np.array_equal(values, tuned[2][name]) for name, values in tuned[0].items())


def test_killed_in_the_middle_it_ends_with_the_same_weights(
    tiny_transformer: str, labelled_texts: Labelled, tmp_path: Path
) -> None:
    texts, grades = labelled_texts
    options = {**asdict(OPTIONS), "epochs": 3}
    whole = fine_tune(
        texts,
        grades,
        3,
        tmp_path / "whole",
        base=tiny_transformer,
        options=FineTuningOptions(**options),
        device="cpu",
    )
    file = tmp_path / "texts.json"
    file.write_text(json.dumps([texts, grades.tolist(), options]))
    killed = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.active_learning.encoders.fine_tuning.killed_process",
            str(tmp_path / "killed"),
            tiny_transformer,
            str(file),
            "3",
        ],
        check=False,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed").exists(), "nothing half-done is to be seen"
    steps: list[str] = []
    resumed = fine_tune(
        texts,
        grades,
        3,
        tmp_path / "killed",
        base=tiny_transformer,
        options=FineTuningOptions(**options),
        device="cpu",
        progress=lambda _share, message: steps.append(str(message)),
    )
    assert {"epoch 3" in message for message in steps} == {True}, "two epochs were kept"
    assert resumed.steps == whole.steps
    assert resumed.held_out == whole.held_out
    for name, values in weights(whole.folder).items():
        np.testing.assert_allclose(values, weights(resumed.folder)[name], atol=1e-6)


def test_stopped_on_request_it_goes_on_later(
    tiny_transformer: str, labelled_texts: Labelled, tmp_path: Path
) -> None:
    texts, grades = labelled_texts
    asked = 0

    def stop_in_the_second_epoch() -> bool:
        nonlocal asked
        asked += 1
        return asked > 15

    arguments = {"base": tiny_transformer, "options": OPTIONS, "device": "cpu"}
    with pytest.raises(Cancelled):
        fine_tune(
            texts,
            grades,
            3,
            tmp_path / "tuned",
            should_stop=stop_in_the_second_epoch,
            **arguments,  # type: ignore[arg-type]
        )
    assert not (tmp_path / "tuned").exists()
    assert fine_tune(texts, grades, 3, tmp_path / "tuned", **arguments).steps  # type: ignore[arg-type]


def test_issues_are_learnt_beside_the_grade(
    tiny_transformer: str, labelled_texts: Labelled, tmp_path: Path
) -> None:
    texts, _ = labelled_texts
    is_blue = np.array([["blue" in text] for text in texts], dtype=np.int8)
    same = np.arange(len(texts)) % 2  # a grade that no text tells
    found = fine_tune(
        texts,
        same,
        2,
        tmp_path / "tuned",
        base=tiny_transformer,
        issues=is_blue,
        options=OPTIONS,
        device="cpu",
    )
    encoder = load_encoder(str(found.folder), device="cpu", dtype="float32")
    assert separation(encoder, (texts, is_blue[:, 0].astype(np.intp)), found.held_out) > 0.85


def test_few_labels_are_all_trained_on(
    tiny_transformer: str, labelled_texts: Labelled, tmp_path: Path
) -> None:
    texts, grades = labelled_texts
    found = fine_tune(
        texts[:30],
        grades[:30],
        3,
        tmp_path / "tuned",
        base=tiny_transformer,
        options=FineTuningOptions(epochs=1),
        device="cpu",
    )
    assert (found.held_out, found.validation_accuracy) == ((), None)


def test_what_cannot_be_learnt_is_refused(tiny_transformer: str, tmp_path: Path) -> None:
    place = tmp_path / "tuned"
    with pytest.raises(NoLabels, match="0 texts"):
        fine_tune([], np.array([], dtype=np.intp), 2, place, base=tiny_transformer)
    with pytest.raises(NoLabels, match="1 grades"):
        fine_tune(["a", "b"], np.array([1, 1]), 2, place, base=tiny_transformer)
    with pytest.raises(ShapeMismatch, match="3 texts"):
        fine_tune(["a", "b", "c"], np.array([0, 1]), 2, place, base=tiny_transformer)
    with pytest.raises(ShapeMismatch, match="from 0 to 1"):
        fine_tune(["a", "b"], np.array([0, 5]), 2, place, base=tiny_transformer)
    with pytest.raises(EncoderUnavailable, match="no-such-model"):
        fine_tune(["a", "b"], np.array([0, 1]), 2, place, base=str(tmp_path / "no-such-model"))
    assert not place.exists()
