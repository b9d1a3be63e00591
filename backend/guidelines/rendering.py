"""A guideline as safe HTML for our pages, in the reader's language."""

from dataclasses import dataclass

from fastapi import Request
from markupsafe import Markup

from backend.core.language import language_of
from backend.guidelines.schemas import GuidelineText
from labeling.label_schema import LabelSchema
from labeling.label_studio.instructions import markdown_html


@dataclass(frozen=True)
class RuleHtml:
    """One rule; ``about`` is a title in the reader's language, ``anchor`` its place on the page."""

    name: str
    about: str
    anchor: str
    html: Markup


@dataclass(frozen=True)
class GuidelineHtml:
    """The text and the rules."""

    text: Markup
    rules: list[RuleHtml]

    @property
    def anchors(self) -> dict[str, str]:
        """Rule's name to its place on the page."""
        return {rule.name: rule.anchor for rule in self.rules}


def guideline_html(
    request: Request, guideline: GuidelineText, schema: LabelSchema
) -> GuidelineHtml:
    """In the reader's language, and in the other one where nothing is written in theirs."""
    language = language_of(request)
    is_chinese = language == "zh"
    titles = schema.titles(language)

    def html(english: str, chinese: str, *, below: int) -> Markup:
        first, second = (chinese, english) if is_chinese else (english, chinese)
        # markdown_html escapes every tag of the text.
        return Markup(markdown_html(first if first.strip() else second, below=below))

    return GuidelineHtml(
        text=html(guideline.text, guideline.text_zh, below=2),
        rules=[
            RuleHtml(
                name=rule.name,
                about=titles.subject(rule.about),
                anchor=f"rule-{number}",
                html=html(rule.text, rule.text_zh, below=3),
            )
            for number, rule in enumerate(guideline.rules, start=1)
        ],
    )
