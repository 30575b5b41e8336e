"""Measure the language model: the package against naive PyTorch, in alternation, on the same words.

    python -m benchmarks.lm                                        made-up words; about four minutes on two cores
    python -m benchmarks.lm --data path/to/ptb --table --json F    Penn Treebank; docs/figures/lm_performance.py draws F
    python -m benchmarks.lm --data path/to/ptb --part quality      minutes until validation perplexity 150; an hour

Run these commands in the root of the repository. The network has 6 hops, 150 units, a memory of 100 and 10,000 words.
"naive" does what implementations of the paper do: 128 random windows a batch, all logits at once, dense gradients, and
gradient descent with each tensor clipped. Each figure is that of the fastest round. On a machine that does not multiply
bfloat16 in hardware, only float32 is measured. The point with 100,000 words takes 3 GB of memory.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import benchmarks.lm.scale as scale_module
from benchmarks.lm.growth import growth
from benchmarks.lm.memory import in_own_process
from benchmarks.lm.quality import quality
from benchmarks.lm.report import report
from benchmarks.lm.speed import speed
from benchmarks.lm.workload import RECIPES, precisions
from benchmarks.timing import machine
from memn2n.errors import MemN2NError
from memn2n.machine import choose_threads

PARTS = ("speed", "memory", "growth", "quality")
_LONG = "quality"


def main() -> int:
    """Run the command, and return its exit status."""
    options = _options()
    try:
        torch.set_num_threads(choose_threads(options.threads))
        found = _measure(options)
    except MemN2NError as error:
        print(error, file=sys.stderr)
        return 2
    print(report(found, markdown=options.table))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with ptb.train.txt; by default the words are made up")
    parser.add_argument("--part", choices=PARTS, action="append", help="what to measure; may be given several times; "
                        f"by default everything except {_LONG}")  # fmt: skip
    parser.add_argument("--threads", type=int, help="number of PyTorch's threads; by default one a core")
    parser.add_argument("--table", action="store_true", help="print the tables of docs/performance.md")
    parser.add_argument("--quick", action="store_true", help="a small network and short rounds, to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")
    options = parser.parse_args()
    options.part = options.part or [part for part in PARTS if part != _LONG]
    if _LONG in options.part and options.data is None:
        parser.error(f"--part {_LONG} needs --data: made-up words have no order to learn")
    return options


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    scale = scale_module.QUICK if options.quick else scale_module.FULL
    text = scale.text(options.data)
    found: dict[str, Any] = {
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "text": text.name,
        "vocabulary": text.vocabulary,
        "network": asdict(scale.network),
        "recipes": {name: asdict(recipe) for name, recipe in RECIPES.items()},
    }
    if "speed" in options.part:
        found |= speed(text, scale.network, scale.speed, scale.call_words)
    if "memory" in options.part:
        found["memory"] = {
            mode: in_own_process(mode, options.data, torch.get_num_threads(), options.quick)
            for mode in ("naive", *precisions())
        }
    if "growth" in options.part:
        found["growth"] = growth(scale.network, scale.vocabulary, scale.growth, scale.curves)
    if "quality" in options.part:
        found["quality"] = quality(text, scale.naive_seconds)
    return found


if __name__ == "__main__":
    sys.exit(main())
