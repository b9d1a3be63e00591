"""Which device and number format a transformer gets, and what is said where that cannot be."""

import pytest

from active_learning.encoders.loading import load_encoder
from active_learning.exceptions import DeviceUnavailable

torch = pytest.importorskip("torch")

from active_learning.encoders.devices import (  # noqa: E402
    computes_in_bfloat16,
    device_of,
    dtype_of,
)
from tests.fixtures.pretend_cuda import pretended_cuda  # noqa: E402


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return monkeypatch


def test_auto_takes_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        assert device_of("auto").type == "cpu"
    with pretended_cuda(monkeypatch):
        assert device_of("auto").type == "cuda"
        assert device_of("cpu").type == "cpu"


def test_a_build_without_cuda_is_told_from_a_machine_without(no_cuda: pytest.MonkeyPatch) -> None:
    no_cuda.setattr(torch.version, "cuda", None)
    with pytest.raises(DeviceUnavailable, match="built without CUDA: install the CUDA build"):
        device_of("cuda")
    no_cuda.setattr(torch.version, "cuda", "13.0")
    with pytest.raises(DeviceUnavailable, match=r"nvidia-smi .* new enough for CUDA 13\.0"):
        device_of("cuda")


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceUnavailable, match="auto, cpu or cuda"):
        device_of("gpu0")
    with pretended_cuda(monkeypatch), pytest.raises(DeviceUnavailable, match="sees 1 CUDA devices"):
        device_of("cuda:1")


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize("name", ["auto", "bundled-en"])
def test_cuda_in_vain_is_never_answered_with_a_lesser_encoder(name: str) -> None:
    with pytest.raises(DeviceUnavailable):
        load_encoder(name, device="cuda")


def test_emulated_bfloat16_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """GPUs older than Ampere say that they support it, and are slower with it."""
    cuda = torch.device("cuda")
    with pretended_cuda(monkeypatch, has_bfloat16=False):
        assert torch.cuda.is_bf16_supported()
        assert not computes_in_bfloat16(cuda)
        assert dtype_of("auto", cuda) is torch.float32
        assert dtype_of("bfloat16", cuda) is torch.bfloat16
    with pretended_cuda(monkeypatch):
        assert dtype_of("auto", cuda) is torch.bfloat16
        assert dtype_of("float32", cuda) is torch.float32
