"""Read back the table in which annotators saw a record."""

from html.parser import HTMLParser

from labeling.label_studio.tasks import MISSING


def read_table(html: str) -> dict[str, str | None] | None:
    """Field to the text that was shown, in the table's order; None if it is no table of ours.

    Everything is text, and what was shown as missing is None.

    >>> read_table("<table><tbody><tr><td>price</td><td>3 &lt; 4</td></tr></tbody></table>")
    {'price': '3 < 4'}
    >>> read_table("<p>price</p>") is None
    True
    """
    reader = _Rows()
    reader.feed(html)
    reader.close()
    if not reader.rows or any(len(row) != 2 for row in reader.rows):
        return None
    names = [name for name, _ in reader.rows]
    if len(set(names)) < len(names):
        return None
    return {name: None if value == MISSING else value for name, value in reader.rows}


class _Rows(HTMLParser):
    """Texts of the cells, row by row."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._is_in_cell = False

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag == "td" and self.rows:
            self.rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_in_cell:
            self.rows[-1][-1] += data
