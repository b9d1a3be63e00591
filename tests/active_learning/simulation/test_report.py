"""The report of a simulation, in the words of several languages."""

import re
import warnings
from pathlib import Path

import pytest

from active_learning.picture import fonts_for
from active_learning.simulation import report
from active_learning.simulation.analysis import analyse
from active_learning.simulation.experiment import Plan
from active_learning.simulation.grid import FULL
from active_learning.simulation.report import draw, metric_words, write_report
from active_learning.types import english
from backend.words import translator

CHINESE = translator("zh").look_up
needs_chinese_font = pytest.mark.skipif(
    fonts_for("学习曲线") is None, reason="no Chinese font on this machine"
)


@pytest.fixture
def result() -> dict[str, object]:
    found: list[dict[str, object]] = []
    for seed in range(3):
        points = [[n, min(1.0, n / (90 + 10 * seed))] for n in range(25, 151, 25)]
        found.append({"strategy": FULL, "seed": seed, "score": 1.0})
        found += [{"strategy": name, "seed": seed, "points": points} for name in ("random", "cal")]
    return {"plan": Plan(metric="macro_f1").as_dict(), **analyse(found)}


@pytest.fixture
def drawn_words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stands in each picture."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    found: list[str] = []
    save = Figure.savefig

    def watched(figure: Figure, *arguments: object, **options: object) -> None:
        found.append(" | ".join(text.get_text() for text in figure.findobj(Text)))
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", watched)
    return found


def images(page: str) -> list[str]:
    return re.findall(r'<img lang="([^"]+)" alt="[^"]+" src="data:image/png;base64,\w', page)


@needs_chinese_font
def test_every_word_of_the_picture_is_in_the_language(
    result: dict[str, object], drawn_words: list[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of each letter that it lacks
        chinese, in_english = draw(result, CHINESE), draw(result)
    assert chinese.startswith(b"\x89PNG")
    assert chinese != in_english
    told = ("学习曲线", "标签数", "宏平均 F1，3 个种子的均值", "全部标签：1.000", "其 95 %")
    for words in told:
        assert words in drawn_words[0]
    assert set(re.findall("[A-Za-z]+", drawn_words[0])) == {"F", "random", "cal"}
    for words in ("Learning curves", "macro-F1, mean and 95 % interval", "all labels: 1.000"):
        assert words in drawn_words[1]


def test_the_picture_is_english_without_a_font(
    result: dict[str, object], drawn_words: list[str]
) -> None:
    in_signs = lambda *text: english(*text) + "\U000e0fff"  # noqa: E731 - no font has this
    assert draw(result, in_signs) == draw(result)
    assert drawn_words[0] == drawn_words[1]


@needs_chinese_font
def test_the_page_has_a_picture_in_each_language_the_readers_first(
    result: dict[str, object], tmp_path: Path
) -> None:
    paths = write_report(result, tmp_path, {"zh-Hans": CHINESE, "en": english})
    page = paths["html"].read_text("utf-8")
    assert '<html lang="zh-Hans">' in page
    assert "<title>Assay：模拟</title>" in page
    assert images(page) == ["zh-Hans", "en"]
    assert '<details lang="en"><summary>Learning curves</summary><img lang="en"' in page
    assert paths["png"].read_bytes() == draw(result, CHINESE)
    write_report(result, tmp_path)
    assert paths["png"].read_bytes() == draw(result)


def test_the_page_has_the_same_picture_once(
    result: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "drawable", lambda _words, in_english: in_english)
    paths = write_report(result, tmp_path, {"zh-Hans": CHINESE, "en": english})
    assert images(paths["html"].read_text("utf-8")) == ["zh-Hans"]


def test_every_metric_of_a_plan_has_a_name(result: dict[str, object]) -> None:
    assert str(metric_words(result)) == "macro-F1"
    assert str(metric_words({"plan": {"metric": "accuracy"}})) == "accuracy"
    assert str(metric_words({})) == "score"
