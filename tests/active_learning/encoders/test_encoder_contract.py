"""What every encoder promises, and the cache in front of it."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from active_learning.encoders.base import Encoder, texts_at_once
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.encoders.combined import JoinedEncoder, ScriptEncoder
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder, transformer_folder
from active_learning.exceptions import Cancelled, EncoderUnavailable
from active_learning.types import Embeddings, Progress, ShouldStop, never, silent

TEXTS = ["title: red teapot", "标题: 红色茶壶", "price: 12", "x" * 3000, "title: blue teapot"]


@pytest.fixture(
    scope="module",
    params=[
        "characters",
        "bundled-e5",
        "bundled-en",
        "bundled-multilingual",
        "bundled-fast",
        "auto",
    ],
)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    try:
        return load_encoder(request.param, device="cpu", threads=1)
    except EncoderUnavailable as error:
        pytest.skip(str(error))


def test_vectors_have_length_one_in_the_order_of_the_texts(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
    order = [3, 0, 4, 1, 2]
    again = encoder.encode([TEXTS[place] for place in order])
    assert (again * vectors[order]).sum(axis=1).min() > 0.999
    assert vectors[0] @ vectors[4] > vectors[0] @ vectors[2]


def test_no_text_and_the_empty_text_are_answered(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimension)
    assert np.isfinite(encoder.encode([""])).all()


def test_encoding_can_be_cancelled(encoder: Encoder) -> None:
    with pytest.raises(Cancelled):
        encoder.encode(TEXTS, silent, lambda: True)


def test_an_unknown_model_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderUnavailable, match="bundled-en"):
        load_encoder(str(tmp_path / "nothing"))


class CountingEncoder(CharacterEncoder):
    def __init__(self) -> None:
        super().__init__(32)
        self.seen: list[str] = []

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        self.seen.extend(texts)
        return super().encode(texts, progress, should_stop)


class HungryEncoder(CharacterEncoder):
    """Wants so many texts a call, as one on a GPU does."""

    def __init__(self, texts_at_once: int | None) -> None:
        super().__init__(32)
        self.calls: list[int] = []
        if texts_at_once is not None:
            self.texts_at_once = texts_at_once

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        self.calls.append(len(texts))
        progress(0.5, "half of them")
        return super().encode(texts, progress, should_stop)


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [(None, [512, 512, 176]), (1_000, [1_000, 200]), (32_768, [1_200])],
)
def test_the_cache_gives_as_many_texts_a_call_as_the_encoder_wants(
    cache_folder: Path, tmp_path: Path, wanted: int | None, calls: list[int]
) -> None:
    encoder, told = HungryEncoder(wanted), list[float]()
    texts = [f"text {number}" for number in range(1_200)]
    found = EmbeddingCache(cache_folder, encoder).embed(texts, lambda share, _: told.append(share))
    assert encoder.calls == calls
    assert told == sorted(told)
    assert len(told) > len(calls), "progress is told while a call goes on"
    plain = EmbeddingCache(tmp_path / "plain", HungryEncoder(None)).embed(texts)
    np.testing.assert_array_equal(found, plain)


def test_joined_encoders_want_what_their_hungriest_part_wants() -> None:
    few, many = HungryEncoder(None), HungryEncoder(32_768)
    assert texts_at_once(few) == 512
    assert texts_at_once(ScriptEncoder(few, many)) == 32_768
    assert texts_at_once(JoinedEncoder([(ScriptEncoder(many, few), 1.0), (few, 0.5)])) == 32_768


def test_a_transformer_on_a_cpu_is_given_no_more_than_before(tiny_transformer: str) -> None:
    assert texts_at_once(load_encoder(tiny_transformer, device="cpu", threads=1)) == 512


def test_a_text_is_embedded_once(cache_folder: Path) -> None:
    encoder = CountingEncoder()
    texts = [f"text {number % 700}" for number in range(2000)]
    first = EmbeddingCache(cache_folder, encoder).embed(texts)
    again = EmbeddingCache(cache_folder, encoder).embed([*texts[::-1], "new"])
    assert len(encoder.seen) == 701
    np.testing.assert_array_equal(first, again[:-1][::-1])
    np.testing.assert_allclose(first, CharacterEncoder(32).encode(texts), atol=1e-3)


def test_revisions_do_not_mix(cache_folder: Path) -> None:
    assert EmbeddingCache(cache_folder, CharacterEncoder(32)).embed(["a"]).shape == (1, 32)
    assert EmbeddingCache(cache_folder, CharacterEncoder(64)).embed(["a"]).shape == (1, 64)


def test_a_torn_tail_is_ignored_and_overwritten(cache_folder: Path) -> None:
    cache = EmbeddingCache(cache_folder, CharacterEncoder(32))
    before = cache.embed(["a b", "c d"])
    folder = next(cache_folder.iterdir())
    for name in ("vectors.f16", "texts.hashes"):
        with (folder / name).open("ab") as file:
            file.write(b"\xff" * 37)
    fresh = EmbeddingCache(cache_folder, CharacterEncoder(32))
    after = fresh.embed(["c d", "e f", "a b"])
    np.testing.assert_array_equal(after[[2, 0]], before)
    np.testing.assert_allclose(after[1], CharacterEncoder(32).encode(["e f"])[0], atol=1e-3)
    assert len(EmbeddingCache(cache_folder, CharacterEncoder(32))) == 3


def test_cancelling_keeps_the_finished_chunks(cache_folder: Path) -> None:
    cache = EmbeddingCache(cache_folder, CharacterEncoder(32))
    calls = iter([False] * 6 + [True] * 1000)
    with pytest.raises(Cancelled):
        cache.embed([f"text {n}" for n in range(5000)], should_stop=lambda: next(calls))
    assert 0 < len(cache) < 5000


WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from active_learning.encoders.embedding_cache import EmbeddingCache
    from active_learning.encoders.loading import CharacterEncoder
    cache = EmbeddingCache(Path(sys.argv[1]), CharacterEncoder(32))
    print("ready", flush=True)
    for start in range(0, 200_000, 600):
        cache.embed([f"text {n}" for n in range(start, start + 600)])
        print(start, flush=True)
""")


def test_a_killed_writer_leaves_a_whole_cache(cache_folder: Path) -> None:
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(cache_folder)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _line in range(4):
                writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
    cache = EmbeddingCache(cache_folder, CharacterEncoder(32), lock_seconds=5)
    held = len(cache)
    assert held >= 600
    texts = [f"text {n}" for n in range(600)]
    np.testing.assert_allclose(cache.embed(texts), CharacterEncoder(32).encode(texts), atol=1e-3)
    assert len(cache) == held


@pytest.mark.parametrize("name", ["auto", "bundled-e5", "bundled-en", "bundled-fast"])
def test_a_lost_fine_tuned_folder_is_never_left_out_silently(name: str, tmp_path: Path) -> None:
    try:
        folder = transformer_folder(name)
    except EncoderUnavailable as error:
        pytest.skip(str(error))
    if folder is None:
        pytest.skip("the bundled English encoder is not installed")
    with pytest.raises(EncoderUnavailable, match="lost"):
        load_encoder(name, fine_tuned=tmp_path / "lost")


def test_fine_tuned_weights_take_the_place_of_the_latin_part_only(tmp_path: Path) -> None:
    folder = transformer_folder("bundled-fast")
    if folder is None:
        pytest.skip("the bundled English encoder is not installed")
    from active_learning.encoders.fine_tuning.options import FineTuningOptions
    from active_learning.encoders.fine_tuning.training import fine_tune

    texts = ["blue kettle", "red shoe", "blue lamp", "red chair"] * 2
    fine_tune(
        texts,
        np.array([0, 1] * 4),
        2,
        tmp_path / "tuned",
        base=folder,
        options=FineTuningOptions(epochs=1, learning_rate=1e-3),
        device="cpu",
    )
    frozen = load_encoder("bundled-fast", device="cpu", dtype="float32")
    tuned = load_encoder(
        "bundled-fast", device="cpu", dtype="float32", fine_tuned=tmp_path / "tuned"
    )
    assert tuned.dimension == frozen.dimension
    before, after = (
        encoder.encode(["a blue kettle", "蓝色水壶 全新"]) for encoder in (frozen, tuned)
    )
    assert not np.allclose(before[0], after[0], atol=1e-3)
    np.testing.assert_allclose(before[1], after[1], atol=1e-6)
