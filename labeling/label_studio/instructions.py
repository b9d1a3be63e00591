"""Labelling guidelines as HTML: for Label Studio's instructions and for our own pages.

The HTML is safe whatever the text says: tags in the text are shown, not obeyed; links lead to
http, https or mail addresses only; nothing is loaded from elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

LINK_SCHEMES = frozenset({"http", "https", "mailto"})
LOWEST_HEADING = 6
"""HTML has no heading below ``h6``."""


@dataclass(frozen=True)
class GuidelineRule:
    """One rule of a guideline, in both languages."""

    name: str
    text: str = ""
    text_zh: str = ""


def markdown_html(text: str, *, below: int = 2) -> str:
    """Markdown (CommonMark and tables) as safe HTML; its headings start ``below`` levels down.

    >>> markdown_html("**Sound** <script>alert(1)</script>")
    '<p><strong>Sound</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\\n'
    >>> markdown_html("# Grades")
    '<h3>Grades</h3>\\n'
    """
    html: str = _markdown().render(text, {"below": below})
    return html


def instructions_html(text: str, text_zh: str, rules: Sequence[GuidelineRule]) -> str:
    """A guideline as annotators read it in Label Studio: Chinese first, then English."""
    parts = [
        markdown_html(words) + _rules_html(rules, is_chinese=is_chinese)
        for words, is_chinese in ((text_zh, True), (text, False))
        if words.strip() or _has_words(rules, is_chinese=is_chinese)
    ]
    return "<hr/>".join(part.strip() for part in parts)


def _has_words(rules: Sequence[GuidelineRule], *, is_chinese: bool) -> bool:
    return any((rule.text_zh if is_chinese else rule.text).strip() for rule in rules)


def _rules_html(rules: Sequence[GuidelineRule], *, is_chinese: bool) -> str:
    items = [
        f"<li><b>{escape(rule.name)}</b> {markdown_html(words)}</li>"
        for rule in rules
        if (words := (rule.text_zh if is_chinese else rule.text)).strip()
    ]
    return f"<ul>{''.join(items)}</ul>" if items else ""


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
    markdown.disable("image")  # would be fetched from elsewhere by whoever reads the guideline
    markdown.validateLink = _is_safe_link  # type: ignore[method-assign]
    markdown.core.ruler.push("assay_headings_and_links", _adapt)
    return markdown


def _is_safe_link(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in LINK_SCHEMES
    except ValueError:
        return False


def _adapt(state: StateCore) -> None:
    for token in state.tokens:
        token.attrs.pop("style", None)  # of aligned columns; our pages allow no inline style
        if token.type in ("heading_open", "heading_close"):
            level = int(token.tag[1:]) + int(state.env.get("below", 0))
            token.tag = f"h{min(level, LOWEST_HEADING)}"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("target", "_blank")
                child.attrSet("rel", "noopener noreferrer")
