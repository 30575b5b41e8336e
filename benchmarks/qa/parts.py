"""Where the engine spends its time: samples a training with perf and assigns the samples to parts of the network.

    python -m benchmarks.qa.parts [--data path/to/en] [--tasks 1,3]

Builds the engine with symbols in build/parts, with the usual -O3. Needs Linux, cmake, a compiler, nanobind, addr2line,
and perf with permission to sample own processes. addr2line finds the function of each sample, also if it was inlined.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
BUILD = REPOSITORY / "build" / "parts"

PARTS = {
    "encoding": {"sentences.hpp": ["encode", "encode_backward", "encode_all", "encode_all_backward"]},
    "attention": {
        "memory.hpp": ["score", "softmax", "add_read", "softmax_backward", "memory_backward", "add_outer_pairs"],
        "kernel.cpp": ["backward"],
    },
    "state": {"kernel.cpp": ["carry", "carry_backward"]},
    "answer": {
        "answer.hpp": ["answer", "find_largest", "exponentiate", "normalize"],
        "products.hpp": ["transpose", "multiply", "multiply_back", "add_outer"],
    },
    "update": {"update.hpp": ["update", "spectral_norm"], "session.cpp": ["update"]},
    "noise": {"session.cpp": ["add_noise"]},
    "batching": {
        "session.cpp": ["lay_out", "run", "fill_batch", "replace_words", "allocate", "gradient"],
        "trainer.cpp": ["epoch", "step", "draw"],
    },
}
"""Part -> file -> functions. Of functions that are inlined into each other, the innermost one listed here counts.

With adjacent tying ``state`` takes almost no time. With layer-wise tying its products count as ``answer``."""
_PART_OF = {
    (file, function): part
    for part, files in PARTS.items()
    for file, functions in files.items()
    for function in functions
}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder of bAbI files; by default, stories are simulated")
    parser.add_argument("--tasks", metavar="N,N", help="which tasks; by default 1 and 3, or 1 for simulated stories")
    parser.add_argument("--seconds", type=float, default=10, help="how long to sample each task")
    parser.add_argument("--train", type=Path, metavar="ENGINE", help=argparse.SUPPRESS)  # the process that is sampled
    options = parser.parse_args()
    if options.train is not None:
        print(json.dumps(train(options.train, options.data, int(options.tasks), options.seconds)))
        return
    tasks = (options.tasks or ("1" if options.data is None else "1,3")).split(",")
    library = build()
    shares = {task: sample(library, options.data, task, options.seconds) for task in tasks}
    print("| part | " + " | ".join(f"task {task}" for task in tasks) + " |")
    print("|---" * (len(tasks) + 1) + "|")
    for part in (*PARTS, "elsewhere"):
        print(f"| {part} | " + " | ".join(f"{shares[task][part]:.0%}" for task in tasks) + " |")


def build() -> Path:
    """Build the engine with symbols and return the path of the library."""
    found = subprocess.run(
        [sys.executable, "-m", "nanobind", "--cmake_dir"], stdout=subprocess.PIPE, text=True, check=True
    )
    settings = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", f"-Dnanobind_DIR={found.stdout.strip()}",
                f"-DPython_EXECUTABLE={sys.executable}"]  # fmt: skip
    subprocess.run(["cmake", "-S", REPOSITORY, "-B", BUILD, *settings], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", BUILD], check=True, stdout=subprocess.DEVNULL)
    return next(path for path in BUILD.glob("_native*.so"))


def train(library: Path, data: Path | None, task: int, seconds: float) -> list[int]:
    """Train with this library; returns the address range and the file offset of its code."""
    spec = importlib.util.spec_from_file_location("memn2n.qa.engine._native", library)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])
    from benchmarks.qa.workload import Workload, fresh_loop
    from memn2n.qa.networks import SOFTMAX

    problem = Workload.read(data, task).problem("engine")
    _, loop = fresh_loop(problem)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        loop.epoch(problem.training.first_rate, SOFTMAX)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        place, mode, offset, *_, path = line.split()
        if "x" in mode and path == str(library):
            return [*(int(at, 16) for at in place.split("-")), int(offset, 16)]
    raise RuntimeError(f"{library} was not loaded")


def sample(library: Path, data: Path | None, task: str, seconds: float) -> dict[str, float]:
    """The share of each part in the samples taken during the training."""
    record = BUILD / "perf.data"
    command = [
        sys.executable,
        "-m",
        "benchmarks.qa.parts",
        "--train",
        str(library),
        "--tasks",
        task,
        "--seconds",
        str(seconds),
    ]
    command += [] if data is None else ["--data", str(data)]
    done = subprocess.run(["perf", "record", "-q", "-F", "2000", "-o", record, "--", *command],
                          stdout=subprocess.PIPE, text=True, check=True)  # fmt: skip
    begin, end, offset = json.loads(done.stdout.splitlines()[-1])
    script = subprocess.run(["perf", "script", "-i", record, "-F", "ip"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True)  # fmt: skip
    taken = [int(line, 16) for line in script.stdout.split()]
    inside = [begin <= at < end for at in taken]
    first, last = inside.index(True), len(inside) - inside[::-1].index(True)
    addresses = Counter(at - begin + offset for at, own in zip(taken, inside, strict=True) if own)
    found = Counter({"elsewhere": last - first - sum(inside)})
    for address, part in parts(library, list(addresses)).items():
        found[part] += addresses[address]
    total = found.total()
    return {part: found[part] / total for part in (*PARTS, "elsewhere")}


def parts(library: Path, addresses: list[int]) -> dict[int, str]:
    """The part that each address belongs to."""
    asked = "".join(f"{address:#x}\n" for address in addresses)
    done = subprocess.run(["addr2line", "-a", "-i", "-f", "-C", "-e", library], input=asked, stdout=subprocess.PIPE,
                          text=True, check=True)  # fmt: skip
    found: dict[int, str] = {}
    for answer in re.split(r"^(?=0x)", done.stdout, flags=re.MULTILINE)[1:]:
        address, *lines = answer.splitlines()  # functions and places alternate, innermost first
        known = [_PART_OF.get((Path(place.split(":")[0]).name, name(function)))
                 for function, place in zip(lines[::2], lines[1::2], strict=True)]  # fmt: skip
        found[int(address, 16)] = next(filter(None, known), "elsewhere")
    return found


def name(function: str) -> str:
    """A C++ function's own name: without its namespaces, class, template arguments and parameters."""
    function = function.replace("(anonymous namespace)::", "").split("(")[0]
    while "<" in function and function != (shorter := re.sub(r"<[^<>]*>", "", function)):
        function = shorter
    return function.split("::")[-1].split()[-1]


if __name__ == "__main__":
    main()
