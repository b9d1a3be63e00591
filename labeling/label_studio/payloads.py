"""What Label Studio sends, as texts that every store can keep."""

import json
import re
from typing import Any

from labeling.exceptions import LabelingError
from labeling.words import Words

_SUSPECT = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def read_json(content: bytes) -> Any:
    """The JSON; NUL and half characters, which no database and no file takes, are replaced.

    Annotators can send them through Label Studio's API, and it hands them on.

    Raises:
        ValueError: it is not JSON, or not in UTF-8.
        RecursionError: it is nested too deeply.
    """
    payload = json.loads(content)
    return _usable(payload) if _SUSPECT.search(content) else payload


def read_object(content: bytes | str, refusal: type[LabelingError]) -> dict[str, Any]:
    """The JSON object, as ``read_json`` reads it.

    Raises:
        LabelingError: ``refusal``, if it is none.
    """
    try:
        payload = read_json(content if isinstance(content, bytes) else content.encode())
    except (ValueError, RecursionError) as error:  # bad UTF-8 is a ValueError too
        raise refusal(Words("not JSON: {error}", error=error)) from error
    if not isinstance(payload, dict):
        raise refusal(Words("a JSON object is expected, got {kind}", kind=type(payload).__name__))
    return payload


def _usable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNUSABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_usable(each) for each in value]
    if isinstance(value, dict):
        return {_usable(name): _usable(each) for name, each in value.items()}
    return value
