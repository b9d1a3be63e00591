"""What a fine-tuned encoder's folder tells about its training."""

import json
from pathlib import Path

from active_learning.encoders.fine_tuning.options import RESULT

RECORDS = "record_ids"


def is_finished(folder: Path) -> bool:
    """Whether a fine-tuned encoder lies there."""
    return (folder / RESULT).exists()


def records_learnt_by(folder: Path) -> set[int]:
    """Records whose labels that encoder has learnt: they say nothing about how sure to be."""
    facts = json.loads((folder / RESULT).read_text("utf-8"))
    held_out = set(facts["held_out"])
    return {record_id for row, record_id in enumerate(facts[RECORDS]) if row not in held_out}
