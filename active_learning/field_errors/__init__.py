"""Which fields of a table are wrong, from a few records with marked fields."""

from active_learning.field_errors.cell_table import CellTable
from active_learning.field_errors.detector import FieldErrorDetector
from active_learning.field_errors.evidence import FieldEvidence
from active_learning.field_errors.sampling import SAMPLERS

__all__ = ["SAMPLERS", "CellTable", "FieldErrorDetector", "FieldEvidence"]
