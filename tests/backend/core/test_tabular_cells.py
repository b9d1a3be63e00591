"""Which cells are protected from spreadsheets; that it can be undone is among the round trips."""

import pytest

from backend.core.tabular import csv_pieces
from backend.core.tabular_cells import original_text, safe_text


@pytest.mark.parametrize("text", ["-3", "-0.5", "-4", "-1e-05", "0", "plain", "it's", "a=b", ""])
def test_numbers_ids_and_plain_texts_stay(text: str) -> None:
    assert safe_text(text) == original_text(text) == text


FORMULAS = ["=SUM(A1)", "+86 10 1234", "+5", "- none -", "-1+2", "@home kit", "\tx", "\rx"]
LIKE_FORMULAS = ["＝1", "＋1", "－1", "＠a", "'=1", "-", "-1,5", "-01"]


@pytest.mark.parametrize("text", [*FORMULAS, *LIKE_FORMULAS])
def test_what_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    assert safe_text(text) == f"'{text}"
    assert original_text(f"'{text}") == text


def test_values_of_a_table() -> None:
    written = b"".join(csv_pieces(["=a", "b"], [["-1", -1], [["=x"], {"b": "=y"}]], has_mark=False))
    assert written.decode().splitlines() == ["'=a,b", "-1,-1", '"[""=x""]","{""b"": ""=y""}"']
