"""The pretended CUDA device refuses what a real one refuses, so a test on it can fail."""

import pytest

torch = pytest.importorskip("torch")

from tests.fixtures.pretend_cuda import CUDA, OnDevice, PretendedCuda  # noqa: E402


def test_it_refuses_what_cuda_refuses(cuda: PretendedCuda) -> None:
    there = torch.ones(3, device="cuda")
    assert there.device == CUDA
    with pytest.raises(RuntimeError, match="same device"):
        there + torch.ones(3)
    with pytest.raises(RuntimeError, match="same device"):
        torch.nn.functional.linear(there, torch.ones(2, 3))
    with pytest.raises(TypeError, match=r"Use Tensor\.cpu"):
        there.numpy()
    assert (there + torch.tensor(1.0)).sum().item() == 6.0, "scalars may come from the host"


def test_a_copy_that_nobody_waited_for_is_not_there(cuda: PretendedCuda) -> None:
    there = torch.ones(3, device="cuda")
    here = torch.empty(3, pin_memory=True)
    here.copy_(there, non_blocking=True)
    assert here.isnan().all()
    torch.cuda.synchronize()
    assert (here == 1).all()


def test_gradients_are_on_the_device(cuda: PretendedCuda) -> None:
    layer = torch.nn.Linear(3, 1).to("cuda")
    layer(torch.ones(2, 3, device="cuda")).sum().backward()
    assert isinstance(layer.weight.grad, OnDevice)
    assert layer.weight.grad.tolist() == [[2.0, 2.0, 2.0]]
