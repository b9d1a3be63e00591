"""Any Hugging Face encoder: masked mean of the last layer, sorted by length, padded by batch."""

import json
import logging
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from active_learning.encoders.base import BUNDLED_NAMES, TEXTS_AT_ONCE, unit_rows
from active_learning.encoders.model_hub import check_obtainable
from active_learning.encoders.read_ahead import read_ahead
from active_learning.exceptions import DeviceMemoryFull, EncoderUnavailable
from active_learning.types import (
    Embeddings,
    Positions,
    Progress,
    Reason,
    ShouldStop,
    check_stop,
    never,
    silent,
)

CPU_BATCH_TOKENS = 1_024
"""Tokens of a padded batch on a CPU: 8 to 32 records, which measured fastest."""
GPU_BATCH_TOKENS = 65_536
"""Chosen: 256 texts of full length, 64 times a batch of the CPU."""
GPU_STRETCH = 8_192
"""Texts that are cut into tokens before the first batch of them is computed on a GPU. Chosen:
texts of like length share a batch, and the first does not wait long."""
GPU_TEXTS_AT_ONCE = 4 * GPU_STRETCH
"""Texts a call: dozens of batches, so that few are computed while nothing is read ahead."""
GPU_BATCHES_AHEAD = 8
"""Batches that wait for the GPU, and results that wait to be fetched. Chosen: bounds memory."""
MAX_TOKENS = 256
"""Read of a text at most. Chosen: what all-MiniLM-L6-v2 reads; time grows with the length."""
logger = logging.getLogger(__name__)

Batch: TypeAlias = tuple[Positions, Any, Any]
"""Rows, and their token ids and mask as tensors."""


class TransformerEncoder:
    """A frozen transformer from ``AutoModel.from_pretrained(name_or_path)``.

    Args:
        name_or_path: Hugging Face name or local folder.
        device: ``auto`` takes CUDA where there is one.
        dtype: ``auto`` takes bfloat16 on GPUs and CPUs that compute in it, else float32.
        threads: CPU threads for torch; unchanged by default.
        max_tokens: longer texts are cut.

    Raises:
        EncoderUnavailable: torch is missing, or the model cannot be loaded; within seconds where
            it is neither a folder nor cached and the network is away.
        DeviceUnavailable: torch does not see the device.
        DeviceMemoryFull: the device has no room for the model.
    """

    def __init__(
        self,
        name_or_path: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        threads: int | None = None,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        try:
            check_obtainable(name_or_path)
            import torch
            from transformers import AutoModel, AutoTokenizer

            from active_learning.encoders import devices
        except ImportError as error:
            raise EncoderUnavailable(
                Reason(
                    "Encoder {name!r} needs torch and transformers ({error}): pip install "
                    "torch==2.13.0 transformers, or choose the encoder 'characters'.",
                    name=name_or_path,
                    error=error,
                )
            ) from error
        if threads is not None:
            torch.set_num_threads(threads)
        self._torch: Any = torch
        self.devices: Any = devices
        self.device = devices.device_of(device)
        self._dtype = devices.dtype_of(dtype, self.device)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(name_or_path)
            model: Any = AutoModel.from_pretrained(name_or_path, dtype=self._dtype)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise EncoderUnavailable(
                Reason(
                    "Encoder {name!r} cannot be loaded: {reason} Give the folder of a downloaded "
                    "model, a Hugging Face name while the network is reachable, or one of: "
                    "{names}.",
                    name=name_or_path,
                    names=", ".join(BUNDLED_NAMES),
                    reason=_first_line(error),
                )
            ) from error
        try:
            self._model = model.to(self.device).eval()
        except torch.OutOfMemoryError as error:
            raise DeviceMemoryFull(
                Reason(
                    "The memory of {device} has no room for encoder {name!r}: free some, choose a"
                    " smaller encoder, or set the device to cpu.",
                    device=self.device,
                    name=name_or_path,
                )
            ) from error
        self.dimension = int(self._model.config.hidden_size)
        self.weight_bytes = sum(each.nbytes for each in self._model.parameters())
        is_cpu = self.device.type == "cpu"
        self.texts_at_once = TEXTS_AT_ONCE if is_cpu else GPU_TEXTS_AT_ONCE
        self._batch_tokens = CPU_BATCH_TOKENS if is_cpu else GPU_BATCH_TOKENS
        self._stretch = None if is_cpu else GPU_STRETCH
        limits = [
            limit
            for limit in (
                getattr(self._model.config, "max_position_embeddings", None),
                self._tokenizer.model_max_length,
            )
            if isinstance(limit, int) and 2 < limit < 100_000
        ]
        self._max_tokens = min([max_tokens, *limits])
        self._fast_tokenizer = _token_engine(self._tokenizer, self._max_tokens)
        self.revision = (
            f"{Path(name_or_path).name}-{_weights_digest(self._model)}"
            f"-{str(self._dtype).removeprefix('torch.')}-{self._max_tokens}"
            f"{'' if is_cpu else '-' + self.device.type}"
        )

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one, in the order of the texts.

        Where the memory of a GPU is full, batches become smaller and the work goes on.

        Raises:
            Cancelled: ``should_stop`` answered True.
            DeviceMemoryFull: the memory does not even suffice for a single text.
        """
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        is_cpu = self.device.type == "cpu"
        batches = self._batches(texts, should_stop)
        running: deque[tuple[Positions, Callable[[], Embeddings]]] = deque()
        done = 0

        def fetch() -> None:
            nonlocal done
            rows, means = running.popleft()
            out[rows] = unit_rows(means())
            done += len(rows)
            progress(done / len(texts), Reason("encoding texts"))

        # On a GPU the next batches are read and copied while it computes: nobody waits for one.
        ahead = 0 if is_cpu else GPU_BATCHES_AHEAD
        source = batches if is_cpu else read_ahead(batches, GPU_BATCHES_AHEAD)
        with closing(source):
            for rows, ids, mask in source:
                check_stop(should_stop, "encoding texts")
                means = self.devices.array_on_its_way(self._means(ids, mask))
                running.append((rows, means))
                if len(running) > ahead:
                    fetch()
        while running:
            fetch()
        return out

    def _batches(
        self, texts: Sequence[str], should_stop: ShouldStop
    ) -> Generator[Batch, None, None]:
        """Padded batches of like length, the longest first: (rows, token ids, mask).

        For a GPU texts are cut into tokens a stretch at a time, so that the first batch need not
        wait for the last text; stretches are of like length in characters.
        """
        stretch = self._stretch or len(texts)
        by_characters = np.argsort([-len(text) for text in texts], kind="stable")
        for start in range(0, len(texts), max(stretch, 1)):
            part = by_characters[start : start + stretch]
            if stretch >= len(texts):
                part = np.arange(len(texts))
            token_ids = self._token_ids([texts[row] for row in part.tolist()], should_stop)
            order = np.argsort([-len(ids) for ids in token_ids], kind="stable")
            done = 0
            while done < len(order):
                longest = max(len(token_ids[order[done]]), 1)
                places = order[done : done + max(1, min(self._batch_tokens // longest, 4096))]
                yield part[places], *self._pad([token_ids[place] for place in places])
                done += len(places)

    def _token_ids(self, texts: list[str], should_stop: ShouldStop) -> list[list[int]]:
        found: list[list[int]] = []
        for start in range(0, len(texts), 2000):
            check_stop(should_stop, "reading texts")
            part = texts[start : start + 2000]
            if self._fast_tokenizer is not None:
                found.extend(one.ids for one in self._fast_tokenizer.encode_batch_fast(part))
            else:
                encoded = self._tokenizer(part, truncation=True, max_length=self._max_tokens)
                found.extend(encoded["input_ids"])
        return found

    def _pad(self, token_ids: list[list[int]]) -> tuple[Any, Any]:
        """(token ids, mask) of one batch, in pinned memory where a GPU will copy it."""
        torch = self._torch
        lengths = np.array([len(ids) for ids in token_ids])
        mask = np.arange(max(int(lengths.max()), 1)) < lengths[:, None]
        ids = np.full(mask.shape, self._tokenizer.pad_token_id or 0, dtype=np.int64)
        ids[mask] = np.fromiter(chain.from_iterable(token_ids), np.int64, int(lengths.sum()))
        tensors = torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))
        if self.device.type == "cuda":
            return tensors[0].pin_memory(), tensors[1].pin_memory()
        return tensors

    def _means(self, ids: Any, mask: Any) -> Any:
        """(n, dimension) masked means on the device; they may still be being computed."""
        torch, width = self._torch, ids.shape[1]
        while True:
            rows = max(1, self._batch_tokens // width)
            try:
                parts = zip(ids.split(rows), mask.split(rows), strict=True)
                with torch.inference_mode():
                    return torch.cat([self._means_at_once(*part) for part in parts])
            except torch.OutOfMemoryError as error:
                fewer = min(rows, len(ids)) // 2
                if not fewer:
                    raise DeviceMemoryFull(
                        Reason(
                            "The memory of {device} does not suffice for one text of {width} "
                            "tokens: free some, choose a smaller encoder, or set the device to "
                            "cpu.",
                            device=self.device,
                            width=width,
                        )
                    ) from error
            # Here, not above: the error holds on to what was computed until then.
            self._batch_tokens = fewer * width
            self.devices.give_back_memory(self.device)
            logger.warning(
                "The memory of %s is full: batches of %d tokens from now on.",
                self.device,
                self._batch_tokens,
            )

    def _means_at_once(self, ids: Any, mask: Any) -> Any:
        ids = ids.to(self.device, non_blocking=True)
        mask = mask.to(self.device, non_blocking=True)
        hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        counted = mask.unsqueeze(-1).float()
        return (hidden * counted).sum(1) / counted.sum(1).clamp(min=1.0)


def _token_engine(tokenizer: Any, max_tokens: int) -> Any | None:
    """The tokenizer's own engine, set once: calls change nothing, so threads may share it."""
    engine = getattr(tokenizer, "backend_tokenizer", None)
    if engine is None or not hasattr(engine, "encode_batch_fast"):
        return None
    engine.enable_truncation(max_tokens)
    engine.no_padding()
    return engine


def _weights_digest(model: Any) -> str:
    """Twelve digits that change with the weights: their shapes and a sample of their values."""
    digest = sha256()
    for name, tensor in sorted(model.state_dict().items()):
        flat = tensor.detach().reshape(-1)
        step = max(1, flat.numel() // 64)
        sample = flat[::step][:64].float().cpu().numpy().astype(np.float32)
        digest.update(json.dumps([name, list(tensor.shape)]).encode())
        digest.update(sample.tobytes())
    return digest.hexdigest()[:12]


def _first_line(error: BaseException) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line if line.endswith(".") else line + "."
