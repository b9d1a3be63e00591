"""The way to the outside for libraries that download: the Hugging Face hub."""

import os

from backend.core.settings import Settings

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def use_proxy_for_downloads(settings: Settings) -> None:
    """Downloads of this process take ``ASSAY_PROXY`` where it is set, else the environment's.

    Only libraries read these variables; connections to our own servers never do
    (``labeling.label_studio.direct``).
    """
    if settings.proxy is None:
        return
    for name in NAMES:
        os.environ[name] = os.environ[name.lower()] = settings.proxy
