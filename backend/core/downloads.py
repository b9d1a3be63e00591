"""How routes that answer with a file describe it."""

from collections.abc import Iterable
from typing import Any


def file_responses(media_types: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    """For ``responses=`` of a route: a file of one of these media types."""
    bare = {media_type.partition(";")[0] for media_type in media_types}
    return {200: {"description": "The file", "content": {each: {} for each in sorted(bare)}}}
