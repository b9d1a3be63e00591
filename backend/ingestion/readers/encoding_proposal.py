"""Which encoding a text file that is not in the one expected probably has."""

from typing import NamedTuple

from backend.words import Message

LIKELY = (
    "gb18030",
    "cp1252",
    "big5",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "cp1251",
    "cp1250",
    "cp1253",
    "cp1254",
    "koi8_r",
    "mac_roman",
    "cp850",
)
"""Encodings that are proposed, the first one where several fit equally well. Chosen: what
spreadsheets and databases write by default in most places."""
SAMPLE_BYTES = 32 * 1024
"""Chosen: detection does not get better with more, only slower."""
CHAOS_STEPS = 20
"""Chosen: how odd a text looks is known to about a twentieth where there are few words."""
COMMON, MARKS = (0xB0, 0xD7), (0xA1, 0xA3)
"""First bytes of GB 2312's most used characters, and of its punctuation and full-width letters."""
LAST_HANGUL = 0xC8
"""The last first byte of a Hangul syllable in EUC-KR."""
COMMON_SHARE = 0.9
"""Chosen: in modern Chinese over 99 of 100 characters are common; names bring rare ones."""
FEW = 8
"""Different characters. Chosen: a third of the common ones lie beyond Hangul, so that eight
without any of them are hardly Chinese (3 %)."""
PREVIEW_LINES = 2
PREVIEW_CHARACTERS = 60


class EncodingProposal(NamedTuple):
    """An encoding in which the sample is readable, and how its first lines would read."""

    encoding: str
    preview: str

    def remedy(self) -> str:
        """What to try, and what would come of it."""
        return Message(
            "Try --encoding {encoding}: the first lines would read {preview}.",
            encoding=self.encoding,
            preview=self.preview,
        )


def wide_encoding(sample: bytes) -> str | None:
    """UTF-16 where there is a mark, or where every second byte of the start is zero."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = sample[:8]
    if len(start) >= 4 and start.count(0) == len(start) // 2:
        if not any(start[1::2]):
            return "utf-16-le"
        if not any(start[::2]):
            return "utf-16-be"
    return None


def propose_encoding(sample: bytes, failed: str) -> EncodingProposal | None:
    """The likeliest encoding but the one that failed; None if nothing fits.

    Args:
        sample: lines of the file, those with more than ASCII among them.
        failed: the encoding that did not fit.
    """
    if wide := wide_encoding(sample):
        return _proposal(wide, sample)
    sample = _whole_characters(sample)
    if failed != "utf-8" and _fits(sample, "utf-8"):
        return _proposal("utf-8", sample)
    if failed != "gb18030" and _is_common_chinese(sample):
        return _proposal("gb18030", sample)
    from charset_normalizer import from_bytes  # slow to import, and seldom needed

    candidates = [name for name in LIKELY if name != failed]
    matches = from_bytes(sample, cp_isolation=candidates, preemptive_behaviour=False)
    found = {
        name: (int(match.chaos * CHAOS_STEPS), -round(match.coherence, 1))
        for match in reversed(list(matches))
        for name in match.could_be_from_charset
    }
    named = [name for name in candidates if name in found]
    return _proposal(min(named, key=lambda name: found[name]), sample) if named else None


def _whole_characters(sample: bytes) -> bytes:
    """The sample without a character that it was cut off in."""
    if len(sample) < SAMPLE_BYTES:
        return sample
    return sample[: max(map(sample.rfind, b'\n ,;"')) + 1] or sample


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_common_chinese(sample: bytes) -> bool:
    """True if nearly all that is no ASCII is among the 3,755 most used characters of GB 2312.

    Few words of Chinese look like Western letters to a detector. Korean lies in the first part of
    the same range, so that enough different characters must reach beyond it.
    """
    if not _fits(sample, "gb2312"):
        return False
    characters = [each for each in sample.decode("gb2312") if not each.isascii()]
    leads = [each.encode("gb2312")[0] for each in characters]
    common = sum(COMMON[0] <= lead <= COMMON[1] for lead in leads)
    marks = sum(MARKS[0] <= lead <= MARKS[1] for lead in leads)
    if not common or common + marks < len(leads) * COMMON_SHARE:
        return False
    return len(set(characters)) < FEW or max(leads) > LAST_HANGUL


def _proposal(encoding: str, sample: bytes) -> EncodingProposal:
    text = sample.decode(encoding, errors="replace").lstrip("\ufeff")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    shown = [
        line if len(line) <= PREVIEW_CHARACTERS else f"{line[: PREVIEW_CHARACTERS - 1]}…"
        for line in lines[:PREVIEW_LINES]
    ]
    return EncodingProposal(encoding, " / ".join(f"“{line}”" for line in shown))
