"""The learning curve as a file."""

import warnings
from pathlib import Path

import pytest

from active_learning.picture import fonts_for
from backend.demo import picture
from backend.demo.picture import draw_learning_curve
from backend.words import languages, translator

ESTIMATE = {"value": 0.7, "low": 0.6, "high": 0.8}
METRICS = [{"labels": 60, "audit_accuracy": ESTIMATE, "audit_macro_f1": None}]


def test_the_picture_is_drawn_also_where_there_is_no_folder_yet(tmp_path: Path) -> None:
    for language in languages():
        path = tmp_path / "new" / f"{language}.png"
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # matplotlib warns of each letter that it lacks
            assert draw_learning_curve(METRICS, path, translator(language)) == path
        assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(fonts_for("学习曲线") is None, reason="no Chinese font on this machine")
def test_the_picture_is_in_the_language_where_a_font_has_its_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(language: str) -> bytes:
        return draw_learning_curve(METRICS, tmp_path / "x.png", translator(language)).read_bytes()

    assert drawn("zh") != drawn("en")
    monkeypatch.setattr(picture, "drawable", lambda _words, in_english: in_english)
    assert drawn("zh") == drawn("en")
