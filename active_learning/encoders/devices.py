"""Where transformers compute and in which number format: chosen here and nowhere else."""

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from active_learning.exceptions import DeviceUnavailable
from active_learning.types import Reason


def device_of(wanted: str) -> torch.device:
    """The device; ``auto`` takes CUDA where there is one.

    Raises:
        DeviceUnavailable: the name is none, or torch does not see that device.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise DeviceUnavailable(
            Reason(
                "Device {wanted!r} is unknown: set the device to auto, cpu or cuda.", wanted=wanted
            )
        ) from error
    if device.type == "cuda":
        _check_cuda(wanted, device)
    return device


def _check_cuda(wanted: str, device: torch.device) -> None:
    if not torch.cuda.is_available() and torch.version.cuda is None is torch.version.hip:
        raise DeviceUnavailable(
            Reason(
                "Device {wanted!r} was asked for, but torch {version} is built without CUDA: "
                "install the CUDA build of torch, or set the device to auto or cpu.",
                wanted=wanted,
                version=torch.__version__,
            )
        )
    if not torch.cuda.is_available():
        raise DeviceUnavailable(
            Reason(
                "Device {wanted!r} was asked for, but torch sees no CUDA device: check with "
                "nvidia-smi that this process may use one and that the driver is new enough for "
                "CUDA {version}, or set the device to auto or cpu.",
                wanted=wanted,
                version=torch.version.cuda,
            )
        )
    count = torch.cuda.device_count()
    if (device.index or 0) >= count:
        raise DeviceUnavailable(
            Reason(
                "Device {wanted!r} was asked for, but torch sees {count} CUDA devices: set the "
                "device to cuda:{last} or lower, or to auto.",
                wanted=wanted,
                count=count,
                last=count - 1,
            )
        )


def dtype_of(wanted: str, device: torch.device) -> torch.dtype:
    """The number format; ``auto`` takes bfloat16 where the device computes in it, else float32."""
    if wanted != "auto":
        return getattr(torch, wanted)  # type: ignore[no-any-return]
    return torch.bfloat16 if computes_in_bfloat16(device) else torch.float32


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether the device itself multiplies in bfloat16.

    GPUs from Ampere on do, and CPUs with AVX-512 BF16 or AMX; others emulate it and are slower
    than in float32.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(
        getattr(torch.cpu, name, lambda: False)() for name in checks
    )


def array_on_its_way(tensor: torch.Tensor) -> Callable[[], NDArray[Any]]:
    """A function that gives the tensor's values as an array, and waits for them if need be.

    The copy from a CUDA device starts now and is waited for by its own event. A plain ``cpu()``
    later would wait for whatever the device was given to do in between.
    """
    if tensor.device.type != "cuda":
        return lambda: np.asarray(tensor.cpu().numpy())
    here = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    here.copy_(tensor, non_blocking=True)
    is_here = torch.cuda.Event()  # type: ignore[no-untyped-call]
    is_here.record(torch.cuda.current_stream(tensor.device))

    def array() -> NDArray[Any]:
        is_here.synchronize()
        return np.asarray(here.numpy())

    return array


def give_back_memory(device: torch.device) -> None:
    """Memory of the device that nothing here needs any more is free for other processes."""
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
