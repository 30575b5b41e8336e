"""The perplexities that the paper prints for Penn Treebank, read from paper_tables.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

LM_TABLE = "ptb"
"""Table 2 of the paper: language models on Penn Treebank."""

_FILE = Path(__file__).parents[1] / "paper_tables.json"


@dataclass(frozen=True)
class LMFigures:
    """The figures that the paper prints for one language model on Penn Treebank.

    Args:
        hidden: number of units.
        valid: perplexity of the validation text.
        test: perplexity of the test text.
    """

    hidden: int
    valid: float
    test: float


def read_lm_figures() -> dict[str, LMFigures]:
    """Row -> figures of Table 2, in the paper's order.

    A row of a memory network is named by its hops and memory size, such as "6x100". The others are named by their
    model, such as "LSTM".
    """
    printed = json.loads(_FILE.read_bytes())["lm"]
    rows = [dict(zip(printed["columns"], row, strict=True)) for row in printed["rows"]]
    return {
        f"{row['ptb_hops']}x{row['ptb_mem']}" if row["ptb_hops"] else row["model"]:
        LMFigures(row["ptb_hidden"], row["ptb_valid"], row["ptb_test"])
        for row in rows
    }  # fmt: skip
