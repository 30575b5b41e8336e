from tests.reproduce.babi.world import babi_1k, quick

__all__ = ["babi_1k", "quick"]
