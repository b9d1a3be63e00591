"""What encoders are worth: macro-F1 after few labels, and what their vectors cost.

    python -m benchmarks.encoders [--quick] [--data FILE --text COLUMN --label COLUMN]
        [--sets NAMES] [--records N] [--seeds N] [--labels 100,500] [--timed N] [--cache FOLDER]

Texts and tables are read as the product reads them: encoder, column signals of tables, the heads of
its classifier. Labels are drawn at random, the same for all encoders; macro-F1 is on the rest.
Compared are the bundled encoders and what ``auto`` could be: sums of parts that are embedded once.
Without --data the sets are those below ASSAY_DATA (../shared/data), and the demo's records. The
last line is one JSON object:

- ``f1``: by number of labels, encoder and set, means over the seeds,
- ``auto_gain``: mean macro-F1 of ``auto`` over the text sets at the fewest labels, less that of
  ``bundled-fast``, which it was before; ``auto_gain_tables``: the same on tables,
- ``chosen``: for each set the candidate that is best on all others (leave one set out), and
  ``chosen_gain``: how much better it is on the set left out than ``bundled-fast``, on average,
- ``records_per_cpu_second``: English and Chinese texts apart, all encoders in turns,
- ``ratio_to_pipeline``: ours over ``transformers.pipeline`` with the same transformer, and
  ``float32_ratio_to_pipeline``, the same in float32.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.encoders.base import Encoder
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.encoders.combined import (
    CentredEncoder,
    JoinedEncoder,
    ScriptEncoder,
    has_han,
)
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import (
    BESIDE,
    CHARACTER_WEIGHT,
    load_encoder,
    transformer_folder,
)
from active_learning.evaluation import macro_f1
from active_learning.types import Embeddings, Progress, ShouldStop, never, silent
from benchmarks.encoder_sets import QUICK, LabelledSet, readers, text_set
from benchmarks.scoring import pipeline_embedder

BEFORE, NOW = "bundled-fast", "auto"
TIMED = ("auto", "bundled-fast", "bundled-e5", "bundled-en", "bundled-multilingual", "characters")
SLICE, DRAW = 100, 41


class CachedEncoder:
    """An encoder whose vectors are kept on disk, so that sums of parts cost nothing more."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self.revision, self.dimension = encoder.revision, encoder.dimension
        self._cache = EmbeddingCache(folder, encoder)

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32."""
        return self._cache.embed(list(texts), progress, should_stop)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="five sets, few records and seeds")
    parser.add_argument("--data", type=Path, help="a CSV file of texts")
    parser.add_argument("--text", default="text")
    parser.add_argument("--label", default="label")
    parser.add_argument("--sets", help="names, with commas between")
    parser.add_argument("--records", type=int)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--labels", default=None, help="how many, with commas between")
    parser.add_argument("--timed", type=int, help="texts of each language that are timed")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "assay-encoders"))
    options = parser.parse_args()
    limit = options.records or (600 if options.quick else 1_000)
    seeds = options.seeds or (3 if options.quick else 5)
    sizes = [
        int(size) for size in (options.labels or ("100" if options.quick else "100,500")).split(",")
    ]
    known = readers(limit)
    names = (
        options.sets.split(",")
        if options.sets
        else [n for n in known if n in QUICK or not options.quick]
    )
    if options.data:
        sets = [text_set(str(options.data), options.data, options.text, options.label, limit)]
    else:
        sets = [known[name]() for name in names]
    with threadpool_limits(1):
        f1 = scores(sets, candidates(options.cache), sizes, seeds)
        speed = speeds(sets, options.timed or (60 if options.quick else 200))
    fewest = f1[str(sizes[0])]
    texts = [each.name for each in sets if each.records is None]
    tables = [each.name for each in sets if each.records is not None]
    result = {
        "benchmark": "encoders",
        "auto_gain": gain(fewest, texts),
        "auto_gain_tables": gain(fewest, tables),
        **left_out(fewest),
        **speed,
        "f1": f1,
        "records": {each.name: len(each.labels) for each in sets},
        "seeds": seeds,
    }
    print(json.dumps(result, ensure_ascii=False))


def candidates(folder: Path) -> dict[str, Encoder]:
    """The bundled encoders and the sums that ``auto`` was chosen from, by name."""

    def part(name: str) -> Encoder:
        return CachedEncoder(load_encoder(name, device="cpu", threads=1), folder)

    e5, english, universal = map(part, ("bundled-e5", "bundled-en", "bundled-multilingual"))
    characters = (CharacterEncoder(BESIDE), CHARACTER_WEIGHT)
    centred = CentredEncoder(e5)
    by_script = ScriptEncoder(english, universal)
    found: dict[str, Encoder] = {
        "characters": CharacterEncoder(),
        "bundled-en": english,
        "bundled-multilingual": universal,
        "bundled-e5": e5,
        "bundled-fast": JoinedEncoder([(by_script, 1.0), characters]),
        "e5 + characters": JoinedEncoder([(e5, 1.0), characters]),
        "centred e5": centred,
        "centred e5 + characters": JoinedEncoder([(centred, 1.0), characters]),
        "centred e5 + USE": JoinedEncoder([(centred, 1.0), (universal, 1.0)]),
        "centred e5 + fast": JoinedEncoder([(centred, 1.0), (by_script, 1.0), characters]),
        "centred e5 + quiet fast": JoinedEncoder([(centred, 1.0), (by_script, 0.7), characters]),
        "auto": JoinedEncoder([(centred, 1.0), (universal, 1.0), characters]),
    }
    for name in (BEFORE, NOW):  # of the same parts as the product's own, or nothing is compared
        assert found[name].revision == load_encoder(name, device="cpu", threads=1).revision
    return found


def scores(
    sets: Sequence[LabelledSet], encoders: Mapping[str, Encoder], sizes: Sequence[int], seeds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Macro-F1 by number of labels, encoder and set; a line for each set and number as it comes."""
    found: dict[str, dict[str, dict[str, float]]] = {
        str(size): {name: {} for name in encoders} for size in sizes
    }
    for data in tqdm(sets, desc="sets", unit="set"):
        for name, encoder in encoders.items():
            seen = data.features(encoder.encode(data.texts))
            for size in sizes:
                if 2 * size <= len(data.labels):
                    score = np.mean([_f1(seen, size, seed) for seed in range(seeds)])
                    found[str(size)][name][data.name] = round(float(score), 4)
        for size in sizes:
            told = {name: of[data.name] for name, of in found[str(size)].items() if data.name in of}
            print(json.dumps({"set": data.name, "labels": size, **told}), flush=True)
    return found


def _f1(seen: Any, size: int, seed: int) -> float:
    rows = np.random.default_rng([DRAW, seed]).permutation(len(seen.labels))
    taught, held = rows[:size], rows[size:]
    classifier = RecordClassifier(seen.layout, seen.classes)
    classifier.fit(seen.features[taught], seen.labels[taught])
    return macro_f1(seen.labels[held], classifier.predict(seen.features[held]))


def gain(f1: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> float | None:
    """Of ``auto`` over what it was before, on average over these sets."""
    if not names:
        return None
    return round(float(np.mean([f1[NOW][name] - f1[BEFORE][name] for name in names])), 4)


def left_out(f1: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The best of the candidates on all sets but one, and its gain on that one."""
    names = list(f1[BEFORE])
    if len(names) < 2:
        return {"chosen": None, "chosen_gain": None}
    chosen = {}
    for left in names:
        others = [name for name in names if name != left]
        chosen[left] = max(f1, key=lambda each: float(np.mean([f1[each][n] for n in others])))
    gains = [f1[encoder][name] - f1[BEFORE][name] for name, encoder in chosen.items()]
    return {"chosen": chosen, "chosen_gain": round(float(np.mean(gains)), 4)}


def speeds(sets: Sequence[LabelledSet], count: int) -> dict[str, Any]:
    """Records a CPU-second of every bundled encoder, and beside the pipeline, slice by slice."""
    texts = [text for data in sets for text in data.texts]
    texts = [texts[row] for row in np.random.default_rng(DRAW).permutation(len(texts))]
    by_language = {
        "english": [text for text in texts if not has_han(text)][:count],
        "chinese": [text for text in texts if has_han(text)][:count],
    }
    encoders = {name: load_encoder(name, device="cpu", threads=1).encode for name in TIMED}
    both = [text for part in by_language.values() for text in part]
    ratios: dict[str, dict[str, float]] = {"": {}, "float32_": {}}
    for name in ("bundled-e5", "bundled-en"):
        folder = str(transformer_folder(name))
        exact = load_encoder(folder, device="cpu", threads=1, dtype="float32").encode
        rivals = {"pipeline": pipeline_embedder(folder), "": encoders[name], "float32_": exact}
        seconds = cpu_seconds(both if name == "bundled-e5" else by_language["english"], rivals)
        for way, found in ratios.items():
            found[name] = round(seconds["pipeline"] / seconds[way], 2)
    told = {
        language: {
            name: round(len(part) / spent, 1) for name, spent in cpu_seconds(part, encoders).items()
        }
        for language, part in by_language.items()
        if part
    }
    return {
        "records_per_cpu_second": told,
        **{f"{way}ratio_to_pipeline": found for way, found in ratios.items()},
    }


def cpu_seconds(texts: Sequence[str], encoders: Mapping[str, Any]) -> dict[str, float]:
    """CPU-seconds by encoder; slice by slice, so that other load hits all alike."""
    seconds = dict.fromkeys(encoders, 0.0)
    for encode in encoders.values():
        encode(list(texts[:2]))
    for start in range(0, len(texts), SLICE):
        for name, encode in encoders.items():
            began = time.process_time()
            encode(list(texts[start : start + SLICE]))
            seconds[name] += time.process_time() - began
    return seconds


if __name__ == "__main__":
    main()
