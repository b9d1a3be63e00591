"""The learning curve as a file."""

from pathlib import Path

from backend.demo.picture import draw_learning_curve
from backend.words import languages, translator


def test_the_picture_is_drawn_also_where_there_is_no_folder_yet(tmp_path: Path) -> None:
    estimate = {"value": 0.7, "low": 0.6, "high": 0.8}
    metrics = [{"labels": 60, "audit_accuracy": estimate, "audit_macro_f1": None}]
    for language in languages():
        path = tmp_path / "new" / f"{language}.png"
        assert draw_learning_curve(metrics, path, translator(language)) == path
        assert path.read_bytes().startswith(b"\x89PNG")
