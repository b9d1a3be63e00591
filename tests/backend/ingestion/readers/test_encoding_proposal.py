"""Files that are not in the encoding expected: what is proposed, and how it would read."""

from pathlib import Path

import pytest

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers import open_reader

SAMPLES = {
    "gb18030": "id,名称\n1,陶瓷马克杯大号新款\n2,不锈钢保温杯\n",
    "big5": "id,title\n1,陶瓷馬克杯大號新款\n2,不鏽鋼保溫杯\n",
    "shift_jis": "id,title\n1,マグカップ 大\n2,ステンレスボトル\n",
    "euc_kr": "id,title\n1,머그컵 대형\n2,스테인리스 보틀\n",
    "cp1252": "id,title\n1,Größe 42 – blau\n2,Straße\n3,Köln\n",
    "cp1251": "id,title\n1,Кружка керамическая\n2,Бутылка стальная\n",
    "utf-16-le": "id,title\n1,Mug\n",
}


@pytest.mark.parametrize("text", ["马克杯", "茶壶", "大", "碗，大号（新）"])
def test_few_words_of_chinese_are_chinese(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"id,title\n1,{text}\n".encode("gb18030"))
    with pytest.raises(UnreadableSource, match="Try --encoding gb18030"), open_reader(path):
        pass


@pytest.mark.parametrize("encoding", SAMPLES)
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_the_encoding_is_proposed_with_what_it_would_read(
    encoding: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(SAMPLES[encoding].encode(encoding))
    with pytest.raises(UnreadableSource) as caught, open_reader(path):
        pass
    assert caught.value.remedy is not None
    assert f"Try --encoding {encoding}: " in caught.value.remedy
    header, first = SAMPLES[encoding].splitlines()[:2]
    assert f"“{header}” / “{first}”" in caught.value.remedy


def test_what_was_named_wrongly_is_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,title\n1,马克杯\n", encoding="utf-8")
    for wrong in ("ascii", "utf-16"):
        with (
            pytest.raises(UnreadableSource, match="--encoding utf-8"),
            open_reader(path, encoding=wrong),
        ):
            pass


def test_a_long_first_line_is_not_cut_in_a_character(tmp_path: Path) -> None:
    for shift in range(3):
        path = tmp_path / "a.jsonl"
        line = '{"title": "' + "x" * shift + "马克杯, " * 20_000 + '"}\n'
        path.write_bytes(line.encode("gb18030"))
        with pytest.raises(UnreadableSource, match="Try --encoding gb18030"), open_reader(path):
            pass
        path.write_bytes(line.encode())
        wrong = "utf-16-le"
        with pytest.raises(UnreadableSource), open_reader(path, encoding=wrong):
            pass


def test_bytes_that_are_no_text_get_no_proposal(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,title\n" + bytes(range(128, 256)) * 3)
    with pytest.raises(UnreadableSource, match="Name the file's encoding"), open_reader(path):
        pass


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "gb18030", "utf-32-le"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(
    encoding: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    text = "id,title\n1,杯\n" if suffix == "csv" else '{"id": "1", "title": "杯"}\n'
    mark = "" if encoding == "utf-16" else "\ufeff"  # which writes one itself
    path.write_bytes((mark + text).encode(encoding))
    with open_reader(path, encoding=encoding) as reader:
        assert reader.columns == ("id", "title")
        assert [row for _, row in reader.rows()] == [{"id": "1", "title": "杯"}]
