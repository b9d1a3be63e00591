"""What names load: the parts of ``auto``, what stands in for them, and what it meant before."""

from pathlib import Path

import numpy as np
import pytest

from active_learning.encoders import loading
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.encoders.combined import CentredEncoder
from active_learning.encoders.loading import (
    load_encoder,
    meanings,
    name_today,
    reads,
    transformer_folder,
)
from active_learning.encoders.neutral_texts import NEUTRAL_TEXTS
from active_learning.exceptions import EncoderUnavailable
from active_learning.types import Embeddings

pytest.importorskip("torch")

ENGLISH, CHINESE = "red teapot", "红色茶壶 很好"


@pytest.mark.usefixtures("package")
def test_auto_reads_every_script_with_every_part() -> None:
    encoder = load_encoder("auto", device="cpu", threads=1)
    e5, *others = encoder.revision.split("+")
    assert e5.startswith("centred(multilingual-e5-small")
    assert others[-1] == "characters-256-v1*0.5"
    vectors = encoder.encode([ENGLISH, CHINESE])
    assert (np.linalg.norm(vectors[:, :32], axis=1) > 0.3).all()
    assert reads("auto", CHINESE)
    assert transformer_folder("auto") == transformer_folder("bundled-e5")


def test_without_e5_auto_is_what_it_was_before(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package.unlink()
    if transformer_folder("bundled-fast") is None:
        pytest.skip("the bundled English encoder is not installed")
    assert load_encoder("auto").revision == load_encoder("bundled-fast").revision
    assert reads("auto", ENGLISH)
    assert not reads("auto", CHINESE)
    assert transformer_folder("auto") == transformer_folder("bundled-en")
    monkeypatch.setattr(loading, "bundled_english_folder", _not_installed)
    assert transformer_folder("auto") is None


def _not_installed() -> Path:
    raise EncoderUnavailable("not here")


def test_what_auto_meant_is_kept_under_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Model versions wrote down this revision; their heads know no other vectors."""
    assert meanings("auto") == ("auto", "bundled-fast")
    assert meanings("characters") == ("characters",)
    assert name_today("auto", "script(a|b)*1+characters-256-v1*0.5") == "bundled-fast"
    assert name_today("auto", "centred(e5)*1+characters-256-v1*0.5") == "auto"
    assert name_today("bundled-en", "all-MiniLM") == "bundled-en"

    def part(name: str, _folder: Path | None) -> CharacterEncoder:
        return CharacterEncoder({"bundled-en": 8, "bundled-multilingual": 16}[name])

    found = loading._by_script(part, None)
    assert found.revision == ("script(characters-8-v1|characters-16-v1)*1+characters-256-v1*0.5")


@pytest.mark.usefixtures("package")
def test_a_fine_tuned_transformer_stands_for_e5_in_chinese_too(tmp_path: Path) -> None:
    from active_learning.encoders.fine_tuning.options import FineTuningOptions
    from active_learning.encoders.fine_tuning.training import fine_tune

    base = transformer_folder("auto")
    assert base is not None
    fine_tune(
        ["红色 好", "茶壶 差", "茶 好", "a 差"] * 2,
        np.array([0, 1] * 4),
        2,
        tmp_path / "tuned",
        base=base,
        options=FineTuningOptions(epochs=2, learning_rate=1e-2),
        device="cpu",
    )
    frozen = load_encoder("auto", device="cpu", threads=1)
    tuned = load_encoder("auto", device="cpu", threads=1, fine_tuned=tmp_path / "tuned")
    assert tuned.dimension == frozen.dimension
    assert tuned.revision != frozen.revision
    before, after = frozen.encode([CHINESE]), tuned.encode([CHINESE])
    assert not np.allclose(before[:, :32], after[:, :32], atol=1e-3)
    np.testing.assert_allclose(before[:, 32:], after[:, 32:], atol=1e-6)


class Alike(CharacterEncoder):
    """Vectors that all point the same way but for a little."""

    def encode(self, texts, *given) -> Embeddings:  # type: ignore[no-untyped-def]
        own = super().encode(texts, *given)
        shared = np.full((1, self.dimension), 4 / np.sqrt(self.dimension), dtype=np.float32)
        both: Embeddings = own + shared
        return both / np.linalg.norm(both, axis=1, keepdims=True)


def test_centred_vectors_are_apart_and_of_length_one() -> None:
    plain = Alike(256)
    centred = CentredEncoder(plain)
    texts = [text[::-1] for text in NEUTRAL_TEXTS[:16]]

    def mean_cosine(vectors: Embeddings) -> float:
        cosines = vectors @ vectors.T
        return float(cosines[np.triu_indices(len(vectors), 1)].mean())

    assert mean_cosine(plain.encode(texts)) > 0.9
    assert mean_cosine(centred.encode(texts)) < 0.5
    np.testing.assert_allclose(np.linalg.norm(centred.encode(texts), axis=1), 1.0, atol=1e-5)
    assert centred.revision == "centred(characters-256-v1)"
