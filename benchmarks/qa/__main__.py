"""Compare the engine with the PyTorch loop, on the same stories and settings, with one thread each.

    python -m benchmarks.qa                                    simulated stories of task 1
    python -m benchmarks.qa --data path/to/en --tasks 1,3      bAbI's stories
    python -m benchmarks.qa --data path/to/en --table          also train all tasks, 10 restarts each, on all cores
    python -m benchmarks.qa --scaling --json F                 how cost grows; docs/figures/performance.py draws it

Both backends use the default settings (3 hops, position encoding, linear start, random noise, d = 20). They take turns,
and the best turn counts. A restart is 120 epochs with validation after each; PyTorch's is extrapolated from 3 epochs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.qa.compare import FIGURES, compare, ratios
from benchmarks.qa.scaling import scaling
from benchmarks.qa.training import in_own_process
from benchmarks.qa.workload import BACKENDS, Workload
from benchmarks.timing import Effort, machine, peak_operations
from memn2n.cli.options import parse_tasks
from memn2n.errors import ConfigError, MemN2NError
from memn2n.qa import engine

FULL, QUICK = Effort(rounds=7, seconds=0.3), Effort(rounds=2, seconds=0.02)


def main() -> int:
    """The command; returns its exit status."""
    options = _options()
    try:
        if engine.unavailable():
            raise ConfigError(f"nothing to compare: the engine cannot be used, {engine.unavailable()}")
        found = _measure(options)
    except MemN2NError as error:
        print(error, file=sys.stderr)
        return 2
    print(report(found))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder of bAbI files; by default, stories are simulated")
    parser.add_argument("--tasks", metavar="N,N", help="which tasks; by default 1 and 3, or 1 for simulated stories")
    parser.add_argument(
        "--threads", type=int, default=1, help="PyTorch's threads; the engine trains a restart with one thread"
    )
    parser.add_argument("--table", action="store_true", help="also train all tasks, 10 restarts each")
    parser.add_argument("--scaling", action="store_true", help="measure only how cost grows")
    parser.add_argument("--quick", action="store_true", help="few stories and short turns, to test the benchmark")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")
    options = parser.parse_args()
    if options.table and options.data is None:
        parser.error("--table needs --data: the folder of all tasks")
    if options.threads < 1:
        parser.error(f"--threads is {options.threads}: it must be 1 or more")
    return options


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    effort = QUICK if options.quick else FULL
    torch.set_num_threads(options.threads)
    found: dict[str, Any] = {"machine": machine(), "pytorch_threads": options.threads}
    if options.scaling:
        return found | {"scaling": scaling(QUICK if options.quick else Effort(5, 0.1), options.quick)}
    tasks = parse_tasks(options.tasks, "--tasks") or ([1] if options.data is None else [1, 3])
    workloads = {task: Workload.read(options.data, task, 200 if options.quick else 1000) for task in tasks}
    found |= {"data": "simulated" if options.data is None else "bAbI", "tasks": {}}
    peaks = []
    for task, workload in workloads.items():
        peaks.append(_peak(effort, options.threads))
        figures = compare(workload, effort)
        for backend in BACKENDS:
            memory = in_own_process(backend, options.data, task)
            figures[backend]["peak_memory_mb"] = memory["peak_memory_mb"]
        figures["ratios"] = ratios(figures["engine"], figures["pytorch"])
        found["tasks"][str(task)] = figures
    found["peak_operations_per_second"] = max(peaks)
    for figures in found["tasks"].values():
        speed = sum(figures["operations_per_example"].values()) * figures["engine"]["examples_per_second"]
        figures["operations_per_second"] = speed
        figures["share_of_peak"] = speed / max(peaks)
    if options.table:
        found["table"] = in_own_process("table", options.data)
    return found


def _peak(effort: Effort, threads: int) -> float:
    """Peak operations a second of one core, because the engine trains a restart on one core."""
    torch.set_num_threads(1)
    peak = peak_operations(effort)
    torch.set_num_threads(threads)
    return peak


def report(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    on = found["machine"]
    threads = found["pytorch_threads"]
    lines = [
        f"{on['processor']}, {on['cores']} cores, {', '.join(on['instruction_sets'])}; PyTorch {on['torch']} with "
        f"{threads} thread{'s' if threads > 1 else ''}, NumPy {on['numpy']}, Python {on['python']}, "
        f"memn2n {on['memn2n']}"
    ]
    if "scaling" in found:
        return "\n".join(lines + _scaling_lines(found["scaling"]))
    for task, figures in found["tasks"].items():
        lines += [
            "",
            f"Task {task}, {found['data']}: {figures['questions']} questions to train on, {figures['mean_memory']:.1f} "
            f"sentences in memory, {figures['epochs']} epochs; {figures['instruction_set']}",
            "",
            "| | engine | PyTorch | times better |",
            "|---|---|---|---|",
        ]
        for figure, ratio in figures["ratios"].items():
            ours, theirs = (_number(figures[backend][figure]) for backend in BACKENDS)
            lines.append(f"| {FIGURES[figure][0]} | {ours} | {theirs} | {ratio:.3g} |")
        lines += ["", *_operation_lines(figures, found["peak_operations_per_second"])]
        noise = [ratio for each in figures["median_over_best"].values() for ratio in each.values()]
        lines.append(f"The best turn is shown; the median turn was up to {max(noise) - 1:.0%} slower.")
    if "table" in found:
        table = found["table"]
        lines += [
            "",
            f"{table['tasks']} tasks x {table['restarts']} restarts, {table['threads']} threads: "
            f"{table['seconds']:.1f} s wall ({table['seconds_of_restarts']:.1f} s of restarts) and "
            f"{table['seconds_reading']:.1f} s to read the files, {table['peak_memory_mb']:.0f} MB resident",
        ]
    return "\n".join(lines)


def _operation_lines(figures: dict[str, Any], peak: float) -> list[str]:
    parts = figures["operations_per_example"]
    total = sum(parts.values())
    shares = ", ".join(f"{name} {value / total:.0%}" for name, value in parts.items())
    return [
        f"Floating-point operations for each example: {total:,.0f} ({shares}).",
        f"The engine does {figures['operations_per_second'] / 1e9:.1f} G a second, {figures['share_of_peak']:.0%} of "
        f"the core's {peak / 1e9:.0f} G (the best square matrix product of PyTorch).",
    ]


def _scaling_lines(curves: dict[str, Any]) -> list[str]:
    lines = []
    for name, curve in curves.items():
        if name == "base":
            continue
        columns = [key for key in (*BACKENDS, "operations") if key in curve]
        lines += ["", f"| {name} | " + " | ".join(f"{key}" for key in columns) + " |"]
        lines[-1:] = [f"{name}, in {curve['unit']}:", "", lines[-1]]
        lines.append("|---" * (len(columns) + 1) + "|")
        for i, value in enumerate(curve["values"]):
            lines.append(f"| {value} | " + " | ".join(_number(curve[key][i]) for key in columns) + " |")
    return lines


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
