"""The figures of the language model as tables, for the terminal or for docs/performance.md."""

from __future__ import annotations

from typing import Any

Rows = list[list[str]]

_RECIPES = {"default": "default recipe", "paper": "paper's recipe"}
_PRECISIONS = {"fp32": "float32", "bf16": "bfloat16"}
_CURVES = {"memory_size": "memory", "hops": "hops", "vocabulary": "words in the vocabulary"}
_PARTS = {"hops": "embedding and hops", "output": "output and loss", "rest": "update and the rest", "all": "all"}


def report(found: dict[str, Any], markdown: bool) -> str:
    """Format all figures.

    Args:
        found: the figures, as the benchmark writes them as JSON.
        markdown: whether to write tables in Markdown; otherwise their columns are aligned with spaces.
    """
    of = found["machine"]
    threads = found["threads"]
    blocks = [
        f"{of['processor']}, {of['cores']} cores, {', '.join(of['instruction_sets'])}; PyTorch {of['torch']} with "
        f"{threads} thread{'s' if threads > 1 else ''}, NumPy {of['numpy']}, Python {of['python']}, "
        f"memn2n {of['memn2n']}; {found['text']}, {found['vocabulary']:,} words"
    ]
    if "training" in found:
        blocks += _speed(found, markdown)
    if "memory" in found:
        rows = [["resident memory, MB", "training", "before it"]]
        rows += [[_mode(mode), _number(of["peak_memory_mb"]), _number(of["peak_memory_before_training_mb"])]
                 for mode, of in found["memory"].items()]  # fmt: skip
        blocks.append(table(rows, markdown))
    for name, curve in found.get("growth", {}).items():
        modes = [mode for mode in ("naive", *_PRECISIONS) if mode in curve]
        rows = [[f"{_CURVES[name]} ({curve['unit']}; {curve['kept']})", *map(_mode, modes)]]
        rows += [[f"{value:,}", *(_number(curve[mode][i]) for mode in modes)]
                 for i, value in enumerate(curve["values"])]  # fmt: skip
        blocks.append(table(rows, markdown))
    if "quality" in found:
        blocks += _quality(found["quality"], markdown)
    return "\n\n".join(blocks)


def table(rows: Rows, markdown: bool) -> str:
    """Format rows of cells; the first row is the heading."""
    if markdown:
        return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in rows)  # fmt: skip


def _speed(found: dict[str, Any], markdown: bool) -> list[str]:
    training = [["training", "words a second", "times naive", "operations a word, M", "share of the peak"]]
    training += [
        [_mode(mode), _number(of["words_per_second"]), _number(of["times_naive"]),
         _number(sum(of["operations_per_word"].values()) / 1e6), f"{of['share_of_peak']:.0%}"]
        for mode, of in found["training"].items()
    ]  # fmt: skip
    evaluation = [["evaluation", "words a second", "times naive"]]
    evaluation += [[_mode(mode), _number(of["words_per_second"]), _number(of["times_naive"])]
                   for mode, of in found["evaluation"].items()]  # fmt: skip
    peaks = ", ".join(f"{_PRECISIONS[precision]} {_number(peak / 1e9)} G"
                      for precision, peak in found["peak_operations_per_second"].items())  # fmt: skip
    steps = found["step_seconds"]
    parts = [["a step of the default recipe", *(f"{_PRECISIONS[precision]}, ms" for precision in steps)]]
    parts += [[name, *(_part(of[part], of["all"]) for of in steps.values())] for part, name in _PARTS.items()]
    noise = max(found["median_over_best"].values()) - 1
    return [
        table(training, markdown),
        f"Peak, operations a second: {peaks}. All figures are of the fastest round; the median of the rounds was up to "
        f"{noise:.0%} slower.",
        table(evaluation, markdown),
        table(parts, markdown),
    ]


def _part(seconds: float, whole: float) -> str:
    return f"{_number(1e3 * seconds)} ({seconds / whole:.0%})"


def _quality(found: dict[str, Any], markdown: bool) -> list[str]:
    rows = [[f"until validation perplexity {found['target']:g}", "minutes", "epochs", "validation perplexity by epoch"]]
    default, paper, naive = found["default"], found["paper"], found["naive"]
    for name, of, minutes in (
        (f"default recipe, {default['precision']}", default, default["minutes"]),
        (f"paper's recipe, {paper['precision']}", paper, paper["minutes"]),
        ("paper's recipe, naive windows (extrapolated)", paper, naive["minutes"]),
    ):
        each = ", ".join(f"{epoch['perplexity']:.0f}" for epoch in of["epochs"])
        rows.append([name, "not reached" if minutes is None else _number(minutes), str(len(of["epochs"])), each])
    lines = [table(rows, markdown)]
    if found["times_sooner"] is not None:
        lines.append(
            f"The default recipe gets there {_number(found['times_sooner'])} times sooner than the paper's on naive "
            f"windows. The latter was not run. Its time is that of {naive['steps']:,.0f} steps, which the paper's "
            f"recipe needed with the package's blocks, at {_number(1e3 * naive['seconds_per_step'])} ms a naive step."
        )
    return lines


def _mode(mode: str) -> str:
    """Return the label of "naive", "bf16" or "paper bf16" in a table."""
    if mode == "naive":
        return "naive windows"
    *recipe, precision = mode.split()
    return ", ".join([*(_RECIPES[name] for name in recipe), _PRECISIONS[precision]])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
