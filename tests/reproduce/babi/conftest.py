from tests.reproduce.babi.small_data import babi_1k, quick

__all__ = ["babi_1k", "quick"]
