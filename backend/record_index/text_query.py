"""What a person types to find records: words, "phrases", -words."""

import re
from dataclasses import dataclass

from backend.record_index.words import normal_form, pieces, words_of

QUERY_CHARACTERS = 1_000
"""Of what is typed, so much counts. Chosen: a long paragraph."""
PHRASES = 32
"""So many words and phrases count. Chosen: more than anybody types."""
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』", '"'))
_PARTS = re.compile(r'(-*)"([^"]*)("?)|([^\s"]+)')


@dataclass(frozen=True)
class Phrase:
    """Words that follow each other in one text.

    Attributes:
        words: at least one.
        is_open: the last one may be the beginning of a longer word.
    """

    words: tuple[str, ...]
    is_open: bool

    @property
    def pattern(self) -> str:
        """What the stored words of a record with this phrase contain."""
        return f" {' '.join(self.words)}{'' if self.is_open else ' '}"


@dataclass(frozen=True)
class TextQuery:
    """A record fits that has all ``wanted`` phrases and none of the ``unwanted`` ones."""

    wanted: tuple[Phrase, ...] = ()
    unwanted: tuple[Phrase, ...] = ()


def read_query(text: str) -> TextQuery:
    """What the text asks for; whatever it is, it asks for something. Nothing asks for all.

    What stands between blanks is a phrase by itself ("SKU-1001" is ``sku`` before ``1001``). The
    last word, unless it is quoted, may be the beginning of one. Chinese is found wherever it
    stands in its run.
    """
    normal = normal_form(text[:QUERY_CHARACTERS].translate(_QUOTES))
    parts = list(_PARTS.finditer(normal))
    wanted: list[Phrase] = []
    unwanted: list[Phrase] = []
    for part in parts[:PHRASES]:
        dashes, quoted, end, bare = part.groups()
        is_unwanted = bool(dashes) if bare is None else bare.startswith("-")
        is_being_typed = part is parts[-1] and not end and not is_unwanted
        phrase = _phrase(quoted if bare is None else bare, is_being_typed)
        if phrase is not None:
            (unwanted if is_unwanted else wanted).append(phrase)
    return TextQuery(tuple(wanted), tuple(unwanted))


def _phrase(normal: str, is_being_typed: bool) -> Phrase | None:
    words = words_of(normal)
    if not words:
        return None
    *_, (piece, is_run) = pieces(normal)
    if not is_run:
        return Phrase(tuple(words), is_being_typed)
    if len(piece) == 1:  # every character of a run begins a word
        return Phrase(tuple(words), is_open=True)
    return Phrase(tuple(words[:-1]), is_open=False)  # the text's run may go on
