"""The speed and the memory of the story simulator.

    python -m benchmarks.simulate

Takes about a minute: simulates every task with 10,000 questions, then writes files of 10,000 and of 100,000 questions,
each in a process of its own, and prints the peak memory of these processes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from benchmarks.qa.training import peak_memory_mb
from memn2n import simulate
from memn2n.simulator import SKILLS
from memn2n.simulator.story_files import write_simulated

QUESTIONS = 10_000
FILES = (1, 3)
"""The tasks with the shortest and the longest stories."""


def main() -> None:
    """Run the benchmark and print the results."""
    seconds = {}
    for task in SKILLS:
        begin = time.process_time()
        simulate(task, n_train=QUESTIONS, n_test=0)
        seconds[task] = time.process_time() - begin
    print(f"seconds of one core for {QUESTIONS:,} questions of each task:")
    print("  " + "  ".join(f"{task}: {each:.2f}" for task, each in seconds.items()))
    print(f"  all: {sum(seconds.values()):.1f}")
    for task in FILES:
        few, many = (peak(task, QUESTIONS * factor) for factor in (1, 10))
        print(
            f"files of task {task}: {few:.0f} MB at most for {QUESTIONS:,} questions, {many:.0f} MB for ten times that"
        )


def peak(task: int, questions: int) -> float:
    """The peak memory in megabytes of a process that writes this number of questions."""
    command = [sys.executable, "-m", "benchmarks.simulate", str(task), str(questions)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def write(task: int, questions: int) -> None:
    """Write files and print the peak memory of this process."""
    with tempfile.TemporaryDirectory() as folder:
        list(write_simulated(folder, [task], questions, 1000))
    print(peak_memory_mb())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(*map(int, sys.argv[1:]))
    else:
        main()
