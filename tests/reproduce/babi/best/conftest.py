from tests.reproduce.babi.best.small_recipes import quick_best
from tests.reproduce.babi.small_data import babi_1k

__all__ = ["babi_1k", "quick_best"]
