"""The native engine (C++): when it can serve, and what it runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.config import NetworkConfig


def unavailable(config: NetworkConfig | None = None) -> str:
    """Why the engine cannot serve such a network, or at all; "" if it can."""
    return "it was not built"
