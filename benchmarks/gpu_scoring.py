"""Scoring records on a GPU: ours against what the forward pass alone could do.

    python -m benchmarks.gpu_scoring [--quick] [--records N] [--data FILE] [--encoder NAME]
        [--device cuda]

Ours is what scoring does: cut texts into tokens, pad, copy, forward, fetch, heads. The limit is the
bare forward pass over the same tokens in the same batches, padded beforehand and on the device.
Both run in turn, three times after a warm-up; the figure is the median of the paired ratios. The
smaller the encoder and the fewer the CPU cores, the more cutting into tokens weighs:
``tokens_records_per_second`` tells its speed alone. Without a GPU it says so and ends well;
``--device cpu`` tries it there. The last line is one JSON object:

- ``share_of_forward_limit``: our records per second over those of the bare forward pass,
- ``records_per_second``, ``forward_records_per_second``, ``tokens_records_per_second``.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from active_learning.classifiers.logistic_heads import LogisticHeads, fit_heads, softmax
from active_learning.encoders.bundled import bundled_english_folder
from active_learning.encoders.record_text import record_text
from active_learning.encoders.transformer_encoder import TransformerEncoder
from active_learning.types import Embeddings, Probabilities, never
from benchmarks.scoring import demo_records, read_records

REPEATS = 3
TRAINING = 300


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="20,000 records")
    parser.add_argument("--records", type=int, default=None, help="100,000 by default")
    parser.add_argument("--data", type=Path, default=None, help="a CSV of records")
    parser.add_argument("--encoder", default=None, help="name or folder; the bundled English one")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    reason = missing(options.device)
    if reason:
        print(f"Nothing is measured: {reason}")
        print(json.dumps({"benchmark": "gpu_scoring", "skipped": reason}))
        return
    count = options.records or (20_000 if options.quick else 100_000)
    records = read_records(options.data, count) if options.data else demo_records(count)
    texts = [record_text(record) for record in records]
    encoder = TransformerEncoder(
        options.encoder or str(bundled_english_folder()), device=options.device
    )
    print(json.dumps(measure(encoder, texts)))


def missing(device: str) -> str | None:
    """Why nothing can be measured on that device; None if it can."""
    try:
        import torch
    except ImportError:
        return "torch is not installed"
    if device.startswith("cuda") and not torch.cuda.is_available():
        return "torch sees no CUDA device"
    return None


def measure(encoder: TransformerEncoder, texts: list[str]) -> dict[str, Any]:
    """Everything that the last line tells."""
    import torch

    device = encoder.device
    is_cuda = device.type == "cuda"
    heads = trained(encoder.encode(texts[:TRAINING]))
    # The encoder's own batches: the limit must be of the same tokens with the same padding.
    started = time.perf_counter()
    batches = list(encoder._batches(texts, never))
    tokens_seconds = time.perf_counter() - started
    on_device = [(ids.to(device), mask.to(device)) for _, ids, mask in batches]

    def wait() -> None:
        if is_cuda:
            torch.cuda.synchronize(device)

    def bare() -> None:
        with torch.inference_mode():
            for ids, mask in on_device:
                encoder._model(input_ids=ids, attention_mask=mask)

    def ours() -> None:
        scored(heads, encoder.encode(texts))

    timed(bare, wait), timed(ours, wait)
    limits, seconds = [], []
    for _ in range(REPEATS):
        limits.append(timed(bare, wait))
        seconds.append(timed(ours, wait))
    shares = [limit / own for limit, own in zip(limits, seconds, strict=True)]
    return {
        "benchmark": "gpu_scoring",
        "share_of_forward_limit": round(float(np.median(shares)), 3),
        "records_per_second": round(len(texts) / float(np.median(seconds)), 1),
        "forward_records_per_second": round(len(texts) / float(np.median(limits)), 1),
        "tokens_records_per_second": round(len(texts) / tokens_seconds, 1),
        "tokens_per_record": round(float(sum(int(m.sum()) for _, _, m in batches)) / len(texts), 1),
        "padding": round(
            1 - sum(int(m.sum()) for _, _, m in batches) / sum(m.numel() for _, _, m in batches), 3
        ),
        "records": len(texts),
        "encoder": encoder.revision,
        "device": torch.cuda.get_device_name(device) if is_cuda else str(device),
    }


def trained(embeddings: Embeddings) -> LogisticHeads:
    """Heads of three grades; what they tell apart does not matter to how long they take."""
    codes = (np.arange(len(embeddings)) % 3).astype(np.intp)
    return fit_heads(embeddings, codes, 3, np.zeros((len(embeddings), 0), dtype=np.int8))


def scored(heads: LogisticHeads, embeddings: Embeddings) -> Probabilities:
    """Probabilities of the grades."""
    return softmax(heads.logits(embeddings)[0])


def timed(work: Callable[[], None], wait: Callable[[], None]) -> float:
    """Seconds until the work is done, on the device too."""
    wait()
    started = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
