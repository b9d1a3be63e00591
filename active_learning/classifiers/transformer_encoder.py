"""Any Hugging Face encoder: masked mean of the last layer, sorted by length, padded by batch."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from active_learning.classifiers.encoders import unit_rows
from active_learning.exceptions import EncoderUnavailable
from active_learning.types import Embeddings, Progress, ShouldStop, check_stop, never, silent

CPU_BATCH_TOKENS = 1_024
"""Tokens of a padded batch on a CPU: 8 to 32 records, which measured fastest."""
GPU_BATCH_TOKENS = 65_536
MAX_TOKENS = 256


class TransformerEncoder:
    """A frozen transformer from ``AutoModel.from_pretrained(name_or_path)``.

    Args:
        name_or_path: Hugging Face name or local folder.
        device: ``auto`` takes CUDA where there is one.
        dtype: ``auto`` takes bfloat16 on CUDA and on CPUs that compute in it, else float32.
        threads: CPU threads for torch; unchanged by default.
        max_tokens: longer texts are cut.

    Raises:
        EncoderUnavailable: torch is missing, or the model cannot be loaded.
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
            import torch
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise EncoderUnavailable(
                f"Encoder {name_or_path!r} needs torch and transformers ({error}): "
                "pip install torch==2.13.0 transformers, or choose the encoder 'characters'."
            ) from error
        if threads is not None:
            torch.set_num_threads(threads)
        self._torch: Any = torch
        self._device = _device(torch, device)
        self._dtype = _dtype(torch, dtype, self._device)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(name_or_path)
            model: Any = AutoModel.from_pretrained(name_or_path, dtype=self._dtype)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise EncoderUnavailable(
                f"Encoder {name_or_path!r} cannot be loaded: {_first_line(error)} Give the folder "
                "of a downloaded model, a Hugging Face name while the network is reachable, or "
                "one of: auto, bundled-en, bundled-multilingual, characters."
            ) from error
        self._model = model.to(self._device).eval()
        self.dimension = int(self._model.config.hidden_size)
        limits = [
            limit
            for limit in (
                getattr(self._model.config, "max_position_embeddings", None),
                self._tokenizer.model_max_length,
            )
            if isinstance(limit, int) and 2 < limit < 100_000
        ]
        self._max_tokens = min([max_tokens, *limits])
        self.revision = (
            f"{Path(name_or_path).name}-{_weights_digest(self._model)}"
            f"-{str(self._dtype).removeprefix('torch.')}-{self._max_tokens}"
        )

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one, in the order of the texts."""
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not texts:
            return out
        token_ids: list[list[int]] = []
        for start in range(0, len(texts), 2000):
            check_stop(should_stop, "reading texts")
            encoded = self._tokenizer(
                list(texts[start : start + 2000]), truncation=True, max_length=self._max_tokens
            )
            token_ids.extend(encoded["input_ids"])
        order = np.argsort([-len(ids) for ids in token_ids], kind="stable")
        budget = CPU_BATCH_TOKENS if self._device.type == "cpu" else GPU_BATCH_TOKENS
        done = 0
        while done < len(order):
            check_stop(should_stop, "encoding texts")
            longest = max(len(token_ids[order[done]]), 1)
            rows = order[done : done + max(1, min(budget // longest, 4096))]
            out[rows] = self._embed([token_ids[row] for row in rows])
            done += len(rows)
            progress(done / len(order), "encoding texts")
        return unit_rows(out)

    def _embed(self, token_ids: list[list[int]]) -> Embeddings:
        """(n, dimension) masked means of one padded batch."""
        torch = self._torch
        batch = self._tokenizer.pad({"input_ids": token_ids}, return_tensors="pt")
        batch = {name: tensor.to(self._device) for name, tensor in batch.items()}
        with torch.inference_mode():
            hidden = self._model(**batch).last_hidden_state.float()
            mask = batch["attention_mask"].unsqueeze(-1).float()
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        vectors: Embeddings = mean.cpu().numpy()
        return vectors


def _device(torch: Any, wanted: str) -> Any:
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(wanted)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise EncoderUnavailable(
            f"Device {wanted!r} was asked for, but torch sees no CUDA device: "
            "set the device to auto or cpu, or install the CUDA build of torch."
        )
    return device


def _dtype(torch: Any, wanted: str, device: Any) -> Any:
    if wanted != "auto":
        return getattr(torch, wanted)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if has_native_bfloat16(torch) else torch.float32


def has_native_bfloat16(torch: Any) -> bool:
    """Whether the CPU multiplies in bfloat16 (AVX-512 BF16 or AMX); elsewhere it is slower."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)


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
