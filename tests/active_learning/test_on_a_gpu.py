"""Encoding, fine-tuning and selecting on a CUDA device, which is pretended: see the fixture."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from active_learning.classifiers.fine_tuning import training  # noqa: E402
from active_learning.classifiers.fine_tuning.options import FineTuningOptions  # noqa: E402
from active_learning.classifiers.fine_tuning.training import fine_tune  # noqa: E402
from active_learning.classifiers.transformer_encoder import TransformerEncoder  # noqa: E402
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
from tests.fixtures.pretend_cuda import CUDA, OnDevice, PretendedCuda, pretended_cuda  # noqa: E402

WORDS = ("price", "missing", "title", "sound", "broken", "blue", "shoe", "kettle", "cheap", "good")
TEXTS = [" ".join(WORDS[place % 7 : place % 7 + 1 + place % 4] * 3) for place in range(90)]
GRADES = np.array([("missing" in text) + 0 for text in TEXTS], dtype=np.intp)
OPTIONS = FineTuningOptions(epochs=2, learning_rate=3e-3, validation_share=0.25, batch_size=24)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendedCuda]:
    with pretended_cuda(monkeypatch) as found:
        yield found


def encoder(folder: str, tokens: int = 100, **options: Any) -> TransformerEncoder:
    """Small batches, so that there are more than are read ahead."""
    made = TransformerEncoder(folder, **{"device": "cuda", **options})
    made._batch_tokens, made._stretch = tokens, 40
    return made


class TestThePretendedDevice:
    def test_it_refuses_what_cuda_refuses(self, cuda: PretendedCuda) -> None:
        there = torch.ones(3, device="cuda")
        assert there.device == CUDA
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError, match="same device"):
            torch.nn.functional.linear(there, torch.ones(2, 3))
        with pytest.raises(TypeError, match=r"Use Tensor\.cpu"):
            there.numpy()
        assert (there + torch.tensor(1.0)).sum().item() == 6.0, "scalars may come from the host"

    def test_a_copy_that_nobody_waited_for_is_not_there(self, cuda: PretendedCuda) -> None:
        there = torch.ones(3, device="cuda")
        here = torch.empty(3, pin_memory=True)
        here.copy_(there, non_blocking=True)
        assert here.isnan().all()
        torch.cuda.synchronize()
        assert (here == 1).all()

    def test_gradients_are_on_the_device(self, cuda: PretendedCuda) -> None:
        layer = torch.nn.Linear(3, 1).to("cuda")
        layer(torch.ones(2, 3, device="cuda")).sum().backward()
        assert isinstance(layer.weight.grad, OnDevice)
        assert layer.weight.grad.tolist() == [[2.0, 2.0, 2.0]]


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
        options = replace(OPTIONS, method=method)
        place, ours = tmp_path / "tuned", {"base": tiny_transformer, "options": options}
        issues = np.stack([GRADES, np.full(len(GRADES), -1)], axis=1).astype(np.int8)
        steps: list[str] = []

        def stop_in_the_second_epoch() -> bool:
            return len(steps) > 3

        def tell(_share: float, message: str) -> None:
            steps.append(message)

        with pytest.raises(Cancelled):
            fine_tune(
                TEXTS,
                GRADES,
                2,
                place,
                **ours,
                issues=issues,
                device="cuda",
                progress=tell,
                should_stop=stop_in_the_second_epoch,
            )
        before = cuda.on_device
        steps.clear()
        found = fine_tune(
            TEXTS, GRADES, 2, place, **ours, issues=issues, device="cuda", progress=tell
        )
        assert {"epoch 2" in step for step in steps} == {True}, "the first epoch was kept"
        assert cuda.given_back[-1] == 0, "all memory is free for the encoder that comes next"
        assert cuda.on_device > before + 100
        assert found.validation_accuracy is not None
        assert np.isfinite(TransformerEncoder(str(place), device="cpu").encode(TEXTS[:3])).all()
        assert TransformerEncoder(str(place), device="cuda").encode(TEXTS[:3]).shape == (3, 32)

    def test_a_checkpoint_of_the_device_goes_on_without_it(
        self, monkeypatch: pytest.MonkeyPatch, tiny_transformer: str, tmp_path: Path
    ) -> None:
        place, steps = tmp_path / "tuned", list[str]()
        with pretended_cuda(monkeypatch), pytest.raises(Cancelled):
            fine_tune(
                TEXTS,
                GRADES,
                2,
                place,
                base=tiny_transformer,
                options=OPTIONS,
                device="cuda",
                progress=lambda _share, message: steps.append(message),
                should_stop=lambda: len(steps) > 3,
            )
        again = list[str]()
        found = fine_tune(
            TEXTS,
            GRADES,
            2,
            place,
            base=tiny_transformer,
            options=OPTIONS,
            device="cpu",
            progress=lambda _share, message: again.append(message),
        )
        assert {"epoch 2" in step for step in again} == {True}
        assert found.epochs in {1, 2}

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
            fine_tune(TEXTS, GRADES, 2, tmp_path / "t", base=tiny_transformer, options=OPTIONS)

    def test_full_memory_is_a_clear_error(
        self, cuda: PretendedCuda, tiny_transformer: str, tmp_path: Path
    ) -> None:
        cuda.largest = 20_000
        with pytest.raises(DeviceMemoryFull, match="method lora or a smaller encoder"):
            fine_tune(TEXTS, GRADES, 2, tmp_path / "t", base=tiny_transformer, options=OPTIONS)
        assert not (tmp_path / "t").exists()


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

    @pytest.mark.parametrize("largest", [40, 4_000])
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
