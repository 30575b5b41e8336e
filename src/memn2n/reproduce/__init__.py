"""The paper's tables, trained again: its figures and ours side by side.

The public functions are listed in ``__init__.pyi``. A function is imported from its module when it is first used, so
that ``memn2n reproduce --help`` loads neither NumPy nor PyTorch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
