"""Measure the peak memory of the language model's training, and print it as JSON.

python -m benchmarks.lm.memory naive|fp32|bf16 [--data path/to/ptb] [--threads 2]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.qa.training import peak_memory_mb

_BATCHES = 5
_EVALUATED = 4097  # words


def in_own_process(mode: str, data: Path | None, threads: int, quick: bool) -> dict[str, float]:
    """Run this module in a process of its own, and return what it prints."""
    command = [sys.executable, "-m", "benchmarks.lm.memory", mode, "--threads", str(threads)]
    command += [] if data is None else ["--data", str(data)]
    command += ["--quick"] if quick else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def train_some(mode: str, data: Path | None, quick: bool) -> dict[str, Any]:
    """Train on a few batches and evaluate, as in an epoch; more batches need no more memory."""
    from benchmarks.lm.scale import FULL, QUICK
    from benchmarks.lm.workload import RECIPES, Naive, Training, evaluate

    scale = QUICK if quick else FULL
    text, before = scale.text(data), peak_memory_mb()
    if mode == "naive":
        naive = Naive(scale.network, text)
        for work in (naive.step, naive.evaluate):
            for _ in range(_BATCHES):
                work()
    else:
        training = Training(scale.network, text, RECIPES["default"], mode)
        training.train(_BATCHES)
        evaluate(training.network, text.valid[:_EVALUATED], mode)
    return {"peak_memory_mb": peak_memory_mb(), "peak_memory_before_training_mb": before}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["naive", "fp32", "bf16"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()

    import torch

    torch.set_num_threads(options.threads)
    print(json.dumps(train_some(options.mode, options.data, options.quick)))


if __name__ == "__main__":
    main()
