"""Guidelines become HTML that is safe whatever they say."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.label_studio.instructions import GuidelineRule, instructions_html, markdown_html

TAGS = {
    *("p", "br", "hr", "strong", "em", "b", "ul", "ol", "li", "a", "code", "pre", "blockquote"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"href", "title", "target", "rel", "class", "start"}


class Reader(HTMLParser):
    """Every tag and attribute that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "<javascript:alert(1)>",
    "![x](http://tracker.example/pixel.png)",
    "[x](https://a.example \"' onmouseover='alert(1)\")",
    "[x]: javascript:alert(1)\n[x]",
    '```x" onload="alert(1)\n</code></pre><script>1</script>\n```',
    "|a|\n|:-|\n|<style>*{display:none}</style>|",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


def assert_safe(html: str) -> None:
    read = Reader(html)
    assert read.tags <= TAGS
    for name, value in read.attributes:
        assert name in ATTRIBUTES, (name, value)
        if name == "href":
            assert not value or value.lower().startswith(("http://", "https://", "mailto:")), value


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_in_the_text_is_obeyed(text: str) -> None:
    assert_safe(markdown_html(text))
    assert_safe(instructions_html(text, text, [GuidelineRule(text, text, text)]))


pieces = st.sampled_from([*ATTACKS, "[", "](", ")", "<", ">", "\n", "`", "*", "javascript:", "x "])


@settings(max_examples=100, deadline=None)
@given(st.lists(pieces, max_size=8).map("".join))
def test_nor_is_any_mixture_of_it(text: str) -> None:
    assert_safe(markdown_html(text))


def test_chinese_comes_first_and_rules_follow_each_language() -> None:
    html = instructions_html(
        "# Grades\nGood.", "优良。", [GuidelineRule("a<b", "English rule", "中文规则")]
    )
    places = [html.index(words) for words in ("优良。", "中文规则", "Good.", "English rule")]
    assert places == sorted(places)
    assert html.count("<b>a&lt;b</b>") == 2
    assert "<h3>Grades</h3>" in html


def test_an_empty_guideline_is_no_instruction() -> None:
    assert instructions_html("", " \n", []) == ""
    assert instructions_html("only English", "", []) == "<p>only English</p>"
