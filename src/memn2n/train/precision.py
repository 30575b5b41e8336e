"""In which precision a machine multiplies best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from memn2n.config import Precision


def choose_precision(precision: Precision, device: torch.device) -> torch.dtype:
    """The type of the products' operands: bfloat16 with "auto" where the device multiplies it in hardware."""
    if precision == "auto":
        return torch.bfloat16 if multiplies_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware; on a CPU, AVX-512 BF16 or AMX."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # not in every version of PyTorch
    return any(getattr(torch.cpu, test, lambda: False)() for test in tests)
