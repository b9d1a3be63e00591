import pytest

from active_learning.exceptions import EncoderUnavailable
from active_learning.portable.model import _check_encoder
from tests.active_learning.portable.test_portable import CONFIG_OF_SHOP

TRAINED = "script(mini-0a1b2c-bfloat16-256-cuda|use-multilingual-0.2.1)*1+characters-256-v1*0.5"


def check(revision: str, *, is_exact: bool) -> None:
    config = type(CONFIG_OF_SHOP)(**{**vars(CONFIG_OF_SHOP), "encoder_revision": TRAINED})
    _check_encoder(config, revision, is_exact=is_exact)


def test_another_precision_is_accepted_on_request_only() -> None:
    here = TRAINED.replace("bfloat16-256-cuda", "float32-256")
    check(TRAINED, is_exact=True)
    check(here, is_exact=False)
    with pytest.raises(EncoderUnavailable, match="is_exact=False"):
        check(here, is_exact=True)


def test_other_weights_or_another_length_of_text_never_are() -> None:
    for other in (TRAINED.replace("0a1b2c", "0a1b2d"), TRAINED.replace("-256-cuda", "-128-cuda")):
        with pytest.raises(EncoderUnavailable, match="It was computed with"):
            check(other, is_exact=False)
