"""The tokenizer against what it promises, on random texts."""

from random import Random

import pytest

from backend.record_index.text_query import PHRASES, Phrase, read_query
from backend.record_index.words import (
    MARK,
    TEXT_CHARACTERS,
    WORD_CHARACTERS,
    normal_form,
    pieces,
    stored_words,
    words_of,
)
from tests.backend.record_index.conftest import text_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SKU-1001", ["sku", "1001"]),
        ("ＳＫＵ－１００１", ["sku", "1001"]),
        ("纯棉shirt", ["纯棉", "棉", "shirt"]),
        ("杯", ["杯"]),
        ("红色，蓝色", ["红色", "色", "蓝色", "色"]),
        ("ｶｯﾌﾟ", ["カッ", "ップ", "プ"]),
        ("한국어", ["한국", "국어", "어"]),
        ("Größe Straße", ["grösse", "strasse"]),
        ("हिन्दी", ["हिन्दी"]),
        ("葛\U000e0100城", ["葛城", "城"]),
        ("𠮷野家", ["𠮷野", "野家", "家"]),
        ("カ・プ", ["カ", "プ"]),
        (f"{MARK}7 \x00 \ud800 _ ''", ["7"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(normal_form(text)) == words


def test_every_two_neighbours_of_a_run_and_every_character_begin_a_word() -> None:
    random = Random(1)
    for _ in range(500):
        normal = normal_form(text_of(random))
        words = words_of(normal)
        assert normal_form(normal) == normal
        for piece, is_run in pieces(normal):
            wanted = [piece[at : at + 2] for at in range(len(piece))] if is_run else [piece]
            assert set(wanted) <= set(words)
        assert sum(map(len, words)) >= sum(map(str.isalnum, normal))


def test_what_is_stored_is_bounded_and_keeps_texts_apart() -> None:
    assert stored_words(3, ["a b", "", "红"]) == f" {MARK}3 a b {MARK}3 {MARK}3 红 {MARK}3 "
    long = stored_words(3, ["x" * 1_000, "字" * TEXT_CHARACTERS, "behind"])
    assert f" {'x' * WORD_CHARACTERS} " in long
    assert "behind" not in long
    assert len(long.encode()) < 1_048_575


def test_queries() -> None:
    asked = read_query('red "steel  mug" -blue -"a b" SKU-1001 保温杯')
    assert [phrase.words for phrase in asked.wanted] == [
        ("red",),
        ("steel", "mug"),
        ("sku", "1001"),
        ("保温", "温杯"),
    ]
    assert [phrase.words for phrase in asked.unwanted] == [("blue",), ("a", "b")]
    assert read_query("steel bot").wanted[-1] == Phrase(("bot",), is_open=True)
    assert read_query('steel "bot').wanted[-1].is_open
    assert not read_query('steel "bot"').wanted[-1].is_open
    assert not read_query("bot steel").wanted[0].is_open
    assert read_query("“steel mug”").wanted == (Phrase(("steel", "mug"), is_open=False),)
    assert read_query("").wanted == read_query(' - -- "" ! * ').wanted == ()
    assert len(read_query("word " * 500).wanted) <= PHRASES
