"""Encoding, fine-tuning and selecting on a CUDA device, which is pretended: see the fixture."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

torch = pytest.importorskip("torch")

from active_learning.encoders.fine_tuning import training  # noqa: E402
from active_learning.encoders.fine_tuning.options import FineTuningOptions  # noqa: E402
from active_learning.encoders.fine_tuning.training import fine_tune  # noqa: E402
from active_learning.encoders.transformer_encoder import TransformerEncoder  # noqa: E402
from active_learning.exceptions import Cancelled, DeviceMemoryFull  # noqa: E402
from active_learning.query_strategies.distances import (  # noqa: E402
    CPU_DISTANCES,
    Distances,
    distances_on,
)
from active_learning.query_strategies.factory import make_strategy  # noqa: E402
from active_learning.types import silent  # noqa: E402
from benchmarks.gpu_scoring import measure  # noqa: E402
from tests.active_learning.test_strategy_contract import candidates  # noqa: E402
from tests.fixtures.pretend_cuda import PretendedCuda, pretended_cuda  # noqa: E402

WORDS = ("price", "missing", "title", "sound", "broken", "blue", "shoe", "kettle", "cheap", "good")
TEXTS = [" ".join(WORDS[place % 7 : place % 7 + 1 + place % 4] * 3) for place in range(90)]
GRADES = np.array([("missing" in text) + 0 for text in TEXTS], dtype=np.intp)
OPTIONS = FineTuningOptions(epochs=2, learning_rate=3e-3, validation_share=0.25, batch_size=24)


def encoder(folder: str, tokens: int = 100, **options: Any) -> TransformerEncoder:
    """Small batches, so that there are more than are read ahead."""
    made = TransformerEncoder(folder, **{"device": "cuda", **options})
    made._batch_tokens, made._stretch = tokens, 40
    return made


class TestEncoding:
    @pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("bfloat16", 0.02)])
    def test_vectors_are_those_of_the_cpu(
        self, dtype: str, tolerance: float, tiny_transformer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = encoder(tiny_transformer, device="cpu", dtype="float32").encode(TEXTS)
        with pretended_cuda(monkeypatch) as cuda:
            ours = encoder(tiny_transformer, dtype=dtype)
            told: list[float] = []
            found = ours.encode(TEXTS, lambda share, _: told.append(share))
            assert cuda.on_device > 100
            assert not cuda.underway
        np.testing.assert_allclose(found, expected, atol=tolerance)
        assert len(told) > 8, "more batches than are ahead"
        assert told == sorted(told)
        assert told[-1] == 1.0

    def test_vectors_of_devices_and_formats_never_mix(
        self, cuda: PretendedCuda, tiny_transformer: str
    ) -> None:
        revisions = {
            encoder(tiny_transformer, device=device, dtype=dtype).revision
            for device in ("cpu", "cuda")
            for dtype in ("float32", "bfloat16")
        }
        assert len(revisions) == 4

    def test_a_misplaced_tensor_is_seen(
        self, cuda: PretendedCuda, tiny_transformer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = encoder(tiny_transformer)
        whole = ours._means_at_once
        monkeypatch.setattr(ours, "_means_at_once", lambda ids, mask: whole(ids, mask).cpu() @ head)
        head = torch.ones(32, 32, device="cuda")
        with pytest.raises(RuntimeError, match="same device"):
            ours.encode(TEXTS)

    def test_results_that_are_read_too_early_are_seen(
        self, cuda: PretendedCuda, tiny_transformer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = encoder(tiny_transformer)
        monkeypatch.setattr(torch.cuda, "Event", _NoEvent)
        assert np.isnan(ours.encode(TEXTS)).any()

    def test_cancelling_ends_the_reader(self, cuda: PretendedCuda, tiny_transformer: str) -> None:
        asked = iter([False] * 8)
        with pytest.raises(Cancelled):
            encoder(tiny_transformer).encode(TEXTS, silent, lambda: next(asked, True))

    def test_where_memory_is_full_batches_become_smaller(
        self,
        tiny_transformer: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        expected = encoder(tiny_transformer, device="cpu", dtype="float32").encode(TEXTS)
        with pretended_cuda(monkeypatch) as cuda, caplog.at_level(logging.WARNING):
            ours = encoder(tiny_transformer, tokens=4_096, dtype="float32")
            cuda.largest = 100_000
            found = ours.encode(TEXTS)
            assert cuda.refused
            assert ours._batch_tokens < 4_096
            assert f"batches of {ours._batch_tokens} tokens" in caplog.text
            before = cuda.refused
            np.testing.assert_allclose(ours.encode(TEXTS), expected, atol=1e-6)
            assert cuda.refused == before, "it has learnt what fits"
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_memory_for_not_even_one_text_is_a_clear_error(
        self, cuda: PretendedCuda, tiny_transformer: str
    ) -> None:
        ours = encoder(tiny_transformer)
        cuda.largest = 200
        with pytest.raises(DeviceMemoryFull, match=r"one text of .* set the device to cpu"):
            ours.encode(TEXTS)

    def test_no_room_for_the_model_is_a_clear_error(
        self, cuda: PretendedCuda, tiny_transformer: str
    ) -> None:
        cuda.largest = 200
        with pytest.raises(DeviceMemoryFull, match="no room for encoder"):
            encoder(tiny_transformer)

    def test_the_benchmark_measures_it(self, cuda: PretendedCuda, tiny_transformer: str) -> None:
        found = measure(encoder(tiny_transformer), TEXTS[:30])
        assert found["device"] == "pretended"
        assert found["records"] == 30
        assert found["share_of_forward_limit"] > 0
        assert not cuda.underway


class TestFineTuning:
    @pytest.mark.parametrize("method", ["full", "lora"])
    def test_it_learns_goes_on_and_can_be_loaded(
        self, method: Any, cuda: PretendedCuda, tiny_transformer: str, tmp_path: Path
    ) -> None:
        tuning = Tuning(tiny_transformer, tmp_path / "tuned", replace(OPTIONS, method=method))
        issues = np.stack([GRADES, np.full(len(GRADES), -1)], axis=1).astype(np.int8)
        with pytest.raises(Cancelled):
            tuning.run(most=3, issues=issues)
        before = cuda.on_device
        found = tuning.run(issues=issues)
        assert {"epoch 2" in step for step in tuning.steps} == {True}, "the first epoch was kept"
        assert cuda.given_back[-1] == 0, "all memory is free for the encoder that comes next"
        assert cuda.on_device > before + 100
        assert found.validation_accuracy is not None
        for device in ("cpu", "cuda"):
            vectors = TransformerEncoder(str(found.folder), device=device).encode(TEXTS[:3])
            assert np.isfinite(vectors).all()

    def test_in_float32_it_ends_as_on_the_cpu_wherever_its_epochs_ran(
        self, monkeypatch: pytest.MonkeyPatch, tiny_transformer: str, tmp_path: Path
    ) -> None:
        whole = Tuning(tiny_transformer, tmp_path / "whole", OPTIONS)
        whole.run(device="cpu")
        begun = Tuning(tiny_transformer, tmp_path / "begun", OPTIONS)
        with pretended_cuda(monkeypatch, has_bfloat16=False) as cuda:
            with pytest.raises(Cancelled):
                begun.run(most=3)
            assert cuda.on_device > 100
        begun.run(device="cpu")
        assert {"epoch 2" in step for step in begun.steps} == {True}
        expected = load_file(whole.place / "model.safetensors")
        for name, values in load_file(begun.place / "model.safetensors").items():
            np.testing.assert_allclose(values, expected[name], atol=1e-5)

    def test_labels_left_on_the_host_are_seen(
        self,
        cuda: PretendedCuda,
        tiny_transformer: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        right = training.loss_of
        monkeypatch.setattr(
            training,
            "loss_of",
            lambda logits, grades, issues, weights: right(logits, grades.cpu(), issues, weights),
        )
        with pytest.raises(RuntimeError, match="same device"):
            Tuning(tiny_transformer, tmp_path / "tuned", OPTIONS).run()

    def test_full_memory_is_a_clear_error(
        self, cuda: PretendedCuda, tiny_transformer: str, tmp_path: Path
    ) -> None:
        cuda.largest = 20_000
        with pytest.raises(DeviceMemoryFull, match="method lora or a smaller encoder"):
            Tuning(tiny_transformer, tmp_path / "tuned", OPTIONS).run()
        assert not (tmp_path / "tuned").exists()


class TestSelecting:
    def test_a_gpu_is_used_where_there_is_one_unless_told_otherwise(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert distances_on("auto") is CPU_DISTANCES
        with pretended_cuda(monkeypatch):
            assert distances_on("auto") is not CPU_DISTANCES
            assert distances_on("cuda") is not CPU_DISTANCES
            assert distances_on("cpu") is CPU_DISTANCES

    @pytest.mark.parametrize("name", ["badge", "cal", "k_center", "ranked_batch", "typiclust"])
    def test_it_chooses_what_the_cpu_chooses(self, name: str, cuda: PretendedCuda) -> None:
        pool = candidates(400, 3, seed=5)
        assert rows(name, replace(pool, distances=distances_on("cuda"))) == rows(name, pool)
        assert cuda.on_device

    @pytest.mark.parametrize("largest", [20, 40, 1_500, 4_000])
    def test_full_memory_moves_it_to_the_cpu(self, largest: int, cuda: PretendedCuda) -> None:
        ours, rng = distances_on("cuda"), np.random.default_rng(2)
        vectors, others = (rng.normal(size=(n, 8)).astype(np.float32) for n in (300, 30))
        cuda.largest = largest  # of others: no room, or room but none for the distances
        for distances in (ours, CPU_DISTANCES):
            near = distances.nearest(vectors, others)
            np.testing.assert_allclose(near, CPU_DISTANCES.nearest(vectors, others), rtol=1e-5)
        np.testing.assert_allclose(
            inner_products(ours, vectors, others[0]), vectors @ others[0], rtol=1e-4, atol=1e-5
        )
        assert cuda.refused

    @pytest.mark.parametrize("name", ["badge", "k_center"])
    def test_a_pool_that_the_gpu_cannot_hold_is_not_sent_again_and_again(
        self, name: str, cuda: PretendedCuda, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (400 * 8 * 4, 1 << 30))
        pool, ours = candidates(400, 3, seed=5), distances_on("cuda")
        before = cuda.on_device
        assert not ours.holds(pool.vectors)
        ours.products(pool.vectors)
        assert cuda.on_device == before
        assert rows(name, replace(pool, distances=ours)) == rows(name, pool)


class Tuning:
    """One fine-tuning that may be run again, and the steps of its last run."""

    def __init__(self, base: str, place: Path, options: FineTuningOptions) -> None:
        self.place, self.steps = place, list[str]()
        self._base, self._options = base, options

    def run(self, *, most: int = 1_000, device: str = "cuda", issues: Any = None) -> Any:
        """Stopped after ``most`` steps."""
        self.steps.clear()
        return fine_tune(
            TEXTS,
            GRADES,
            2,
            self.place,
            base=self._base,
            issues=issues,
            options=self._options,
            device=device,
            progress=lambda _share, message: self.steps.append(str(message)),
            should_stop=lambda: len(self.steps) > most,
        )


def rows(name: str, pool: Any) -> list[int]:
    strategy = make_strategy(name, seed=3)
    found: list[int] = strategy.select(pool, strategy.score(pool), 20).tolist()
    return found


def inner_products(distances: Distances, vectors: Any, vector: Any) -> Any:
    found = np.full(len(vectors), np.nan)
    for part, products in distances.products(vectors)(vector):
        found[part] = products
    return found


class _NoEvent:
    def record(self, _stream: Any) -> None:
        """Nothing."""

    def synchronize(self) -> None:
        """Nothing."""
