"""memn2n: end-to-end memory networks (Sukhbaatar et al. 2015) that answer questions about stories, and show why.

The public names are listed in ``__init__.pyi``. A name is imported from its module when it is first used, so that
``import memn2n`` itself loads neither NumPy nor PyTorch.
"""

import lazy_loader

_get, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    try:
        return _get(name)
    except ModuleNotFoundError as error:
        from memn2n.machine import TORCH, missing_torch

        if error.name not in TORCH:
            raise
        raise missing_torch(f"memn2n.{name}") from None
