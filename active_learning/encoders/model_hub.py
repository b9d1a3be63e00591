"""Whether a transformer can be had at all, before a library tries for a minute."""

import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from active_learning.encoders.base import BUNDLED_NAMES
from active_learning.exceptions import EncoderUnavailable
from active_learning.types import Reason

CONFIG = "config.json"
WAIT_SECONDS = 5.0
"""Chosen: a hub that can be reached answers sooner, and nobody waits long where there is none."""


def check_obtainable(
    name_or_path: str, *, endpoint: str | None = None, wait_seconds: float = WAIT_SECONDS
) -> None:
    """The name is a folder, or cached, or the model hub answers at all.

    huggingface_hub has no setting for its retries (six tries and 23 seconds a file), so it is
    asked only where one request was answered; an answer "no such model" is its to tell.

    Args:
        name_or_path: Hugging Face name or local folder.
        endpoint: of the hub; by default the one of the library (``HF_ENDPOINT``).
        wait_seconds: for an answer, the look-up of the host's name included.

    Raises:
        EncoderUnavailable: none of it, or the environment's proxy cannot be used; the message
            names the remedy.
        ImportError: huggingface_hub is missing.
    """
    from huggingface_hub import get_session, hf_hub_url, try_to_load_from_cache

    if Path(name_or_path).exists():
        return
    try:
        if isinstance(try_to_load_from_cache(name_or_path, CONFIG), str):
            return
        url = hf_hub_url(name_or_path, CONFIG, endpoint=endpoint)
    except ValueError:
        return  # no name of the hub: the library refuses it at once, and says why
    try:
        session = get_session()
    except (ImportError, ValueError) as error:  # SOCKS without socksio, a scheme it does not know
        raise EncoderUnavailable(
            Reason(
                "Encoder {name!r} would be downloaded through the proxy of the environment, which"
                " cannot be used ({error}). Set ASSAY_PROXY to one that can, install what is "
                "missing ({python} -m pip install socksio), or choose one of: {names}.",
                name=name_or_path,
                names=", ".join(BUNDLED_NAMES),
                error=error,
                python=sys.executable,
            )
        ) from error
    is_answered = Event()

    def ask() -> None:
        with suppress(Exception):  # whatever keeps the answer away
            session.head(url, timeout=wait_seconds)
            is_answered.set()

    asking = Thread(target=ask, name="model-hub", daemon=True)
    asking.start()
    asking.join(wait_seconds)
    if not is_answered.is_set():
        raise EncoderUnavailable(
            Reason(
                "Encoder {name!r} is no folder and not in the local Hugging Face cache, and {hub}"
                " cannot be reached. Give the folder of a downloaded model, try again with a "
                "network, or choose one of: {names}.",
                name=name_or_path,
                names=", ".join(BUNDLED_NAMES),
                hub=url.split("/" + name_or_path)[0],
            )
        )
