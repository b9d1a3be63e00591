"""What makes two versions of a record the same: a hash of kind and fields."""

import hashlib
import json
from collections.abc import Mapping

Value = str | int | float | bool | None
Fields = Mapping[str, Value]

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    return _encode(value)


def content_hash(kind: str, fields: Fields) -> str:
    """SHA-256 of the canonical JSON of ``{"fields": …, "kind": …}``, 64 hex digits."""
    text = canonical_json({"fields": fields, "kind": kind})
    return hashlib.sha256(text.encode()).hexdigest()
