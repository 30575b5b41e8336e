"""Cores, memory, threads, devices and number formats of this machine."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.settings import check_choice, check_type
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

Precision = Literal["auto", "fp32", "bf16"]
"""Number format of matrix products. auto: bfloat16 if the hardware multiplies it, otherwise float32."""

TORCH = ("torch", "jaxtyping")
"""The modules of the extra ``torch``. Only PyTorch modules need jaxtyping."""

_AUTOCAST_DEVICES = ("cpu", "cuda", "xpu", "mps")

_CGROUP = Path("/sys/fs/cgroup/memory.max")


def available_cores() -> int:
    """The number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def total_memory() -> int | None:
    """The bytes of memory that this process may use in all; None if the system does not say."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        return min(memory, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # the file is missing, or says "max"
        return memory


def in_notebook() -> bool:
    """Whether this program runs in a notebook, which shows the output of each cell."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and type(ipython.get_ipython()).__name__ == "ZMQInteractiveShell"


def choose_threads(threads: int | None) -> int:
    """The number of threads to use: ``threads``, or the number of cores if it is None.

    Raises:
        ConfigError: unless ``threads`` is an integer from 1 to the number of cores.
    """
    check_type("threads", threads, int)
    cores = available_cores()
    if threads is None:
        return cores
    if not 1 <= threads <= cores:
        raise ConfigError(Setting("threads"), f" is {threads}: it must be from 1 to the number of cores, {cores}")
    return threads


def has_torch() -> bool:
    """Whether PyTorch, and what the package's PyTorch modules need beside it, is installed."""
    return all(map(find_spec, TORCH))


def need_torch(*what: str) -> None:
    """Raise ConfigError if PyTorch is not installed; ``what`` needs it."""
    if not has_torch():
        raise missing_torch(*what)


def missing_torch(*what: str) -> ConfigError:
    """Return the error which says that ``what`` needs PyTorch; ``what`` is the pieces of a message."""
    return ConfigError(*what, " needs PyTorch; install it: pip install 'memn2n[torch]'")


def check_device(device: str) -> torch.device:
    """The device of a name such as "cuda"; raises ConfigError if PyTorch cannot use it on this machine."""
    need_torch(Setting("device"), f" {quoted(device)}")
    import torch

    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError, ValueError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ConfigError(Setting("device"), f" is {quoted(device)}, which PyTorch cannot use here: {reason}") from None
    if found.type == "meta":
        raise ConfigError(Setting("device"), " is 'meta', which cannot compute")
    return found


@contextmanager
def own_torch_state(*, grad: bool) -> Iterator[None]:
    """Compute with PyTorch independently of what the program has set for its thread.

    Within the context there is no inference mode and no autocast, new tensors are on the CPU unless they name a device,
    and autograd records operations if ``grad``. PyTorch's default type belongs to all threads, so it is not changed
    here: this package names the type of each tensor that it makes. The context is also a decorator. Do not enter it
    where the program's own code runs.
    """
    import torch

    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.set_grad_enabled(grad))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        for kind in _AUTOCAST_DEVICES:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        yield


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Let PyTorch use this number of threads within the context; one in a process that was forked, see below."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1 if _forked else number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _use_one_torch_thread() -> None:
    """Let PyTorch use one thread in this process, which was forked from one that has imported PyTorch.

    A fork copies only the thread that calls it. GNU's OpenMP, which PyTorch uses on Linux, does not notice this: if it
    had threads before the fork, the first parallel computation after the fork waits for them and never ends.
    """
    global _forked
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        _forked = True


_forked = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_use_one_torch_thread)


def choose_precision(precision: Precision, device: torch.device) -> torch.dtype:
    """The type of the operands of matrix products on a device; raises ConfigError for another number format."""
    check_choice("precision", precision, get_args(Precision))
    import torch

    if precision == "auto":
        return torch.bfloat16 if multiplies_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware. A CPU does with AVX-512 BF16 or AMX."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # not in every version of PyTorch
    return any(getattr(torch.cpu, test, lambda: False)() for test in tests)
