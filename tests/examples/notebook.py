"""Runs a notebook's cells one after the other in one namespace, as its kernel would."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "examples"


def run_cells(name: str) -> dict[str, Any]:
    """What the notebook's names stand for after its last cell."""
    notebook = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "code":
            code = compile("".join(cell["source"]), f"{name}, cell {number}", "exec")
            exec(code, names)
    return names


def has_output(name: str) -> bool:
    """True if somebody has saved it with what its cells printed."""
    cells = json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]
    return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
