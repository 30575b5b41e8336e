"""One training in a process of its own, to measure its memory. Prints JSON.

python -m benchmarks.qa.training engine|pytorch [--data path/to/en] [--task 1]    a few epochs of one restart
python -m benchmarks.qa.training table --data path/to/en                          all tasks, 10 restarts each
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memn2n.qa.training.problem import TrainedNetwork

TABLE_RESTARTS = 10


def in_own_process(work: str, data: Path | None, task: int | None = None) -> dict[str, Any]:
    """Run this module in a new process and return the JSON that it prints."""
    command = [sys.executable, "-m", "benchmarks.qa.training", work]
    command += [] if data is None else ["--data", str(data)]
    command += [] if task is None else ["--task", str(task)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def peak_memory_mb() -> float:
    """The peak resident memory of this process, in 10^6 bytes."""
    try:  # getrusage counts from the parent's memory on
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    except (OSError, IndexError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def train_some(backend: str, data: Path | None, task: int) -> dict[str, Any]:
    """Train for a few epochs; all epochs need the same memory."""
    from benchmarks.qa.workload import Workload

    if backend == "pytorch":  # the engine needs no PyTorch
        import torch

        torch.set_num_threads(1)
    problem = Workload.read(data, task).problem(backend)
    imported = peak_memory_mb()
    problem = replace(problem, training=replace(problem.training, linear_start_epochs=1, epochs=2))
    problem.train(0, lambda _epoch: None)
    return {"peak_memory_mb": peak_memory_mb(), "peak_memory_before_training_mb": imported}


def train_table(data: Path) -> dict[str, Any]:
    """Train every task of the folder, on all cores."""
    from benchmarks.qa.workload import Workload
    from memn2n.machine import available_cores
    from memn2n.qa.data.babi import available
    from memn2n.qa.training.restarts import run_restarts

    trained: list[TrainedNetwork] = []
    begin = time.perf_counter()
    problems = [Workload.read(data, task).problem("engine") for task in available(data, "train")]
    read = time.perf_counter()
    for problem in problems:
        run_restarts(problem, range(TABLE_RESTARTS), lambda _event: None, trained.append)
    end = time.perf_counter()
    return {
        "tasks": len(problems),
        "restarts": TABLE_RESTARTS,
        "threads": available_cores(),
        "seconds": end - read,
        "seconds_reading": read - begin,
        "seconds_of_restarts": sum(one.restart.seconds for one in trained),
        "peak_memory_mb": peak_memory_mb(),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["engine", "pytorch", "table"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--task", type=int, default=1)
    options = parser.parse_args()
    if options.work != "table":
        found = train_some(options.work, options.data, options.task)
    elif options.data is None:
        parser.error("table needs --data: the folder of all tasks")
    else:
        found = train_table(options.data)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
