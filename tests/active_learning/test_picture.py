"""Pictures whose words can be read."""

import warnings
from io import BytesIO
from pathlib import Path

import pytest
from matplotlib import font_manager

from active_learning import picture
from active_learning.picture import OWN_FONT, axes, drawable, fonts_for

HAS_CHINESE = fonts_for("学习曲线") is not None
NOWHERE = "\U000e0fff"
"""A letter that no standard has."""


def only_own_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where nobody installed a font."""
    shipped = [
        font
        for font in font_manager.fontManager.ttflist
        if Path(font.fname).is_relative_to(Path(font_manager.__file__).parent)
    ]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", shipped)


def draw(words: str) -> bytes:
    png = BytesIO()
    with axes(png, {"title": words}) as plot:
        plot.plot([1, 2], [0, 1], label=words)
        plot.set_title(words)
        plot.legend()
    return png.getvalue()


def test_western_letters_need_no_other_font() -> None:
    assert fonts_for("95 % of it: naïve, Ωμέγα, Указ") == [OWN_FONT]
    assert fonts_for("") == [OWN_FONT]


@pytest.mark.skipif(not HAS_CHINESE, reason="no Chinese font on this machine")
def test_chinese_is_drawn_in_letters_not_boxes() -> None:
    words = "学习曲线：95 %"
    assert len(fonts_for(words) or []) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of each letter that it lacks
        png = draw(words)
    assert png.startswith(b"\x89PNG")
    assert png != draw("学习曲綫：95 %")


@pytest.mark.skipif(not HAS_CHINESE, reason="no Chinese font on this machine")
def test_any_font_with_the_letters_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "CHINESE_FONTS", ())
    others = fonts_for("学习曲线")
    assert others is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw("学习曲线")


def test_words_stay_english_where_no_font_has_their_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chinese, in_english = {"title": "学习曲线", "x": "labels"}, {"title": "curves", "x": "labels"}
    assert fonts_for(NOWHERE) is None
    assert drawable({"title": NOWHERE}, in_english) == in_english
    if HAS_CHINESE:
        assert drawable(chinese, in_english) == chinese
    only_own_font(monkeypatch)
    assert drawable(chinese, in_english) == in_english
    assert drawable(in_english, {}) == in_english


def test_a_picture_leaves_nothing_behind() -> None:
    import matplotlib as mpl
    from matplotlib import pyplot

    before = list(mpl.rcParams["font.family"])
    draw("labels")
    with pytest.raises(KeyError), axes(BytesIO(), {}):
        raise KeyError
    assert mpl.rcParams["font.family"] == before
    assert pyplot.get_fignums() == []
