"""Draw docs/figures/lm_performance.svg: the cost of training the language model by memory, hops and vocabulary.

    python -m benchmarks.lm --data path/to/ptb --table --json docs/figures/lm_performance.json
    python docs/figures/lm_performance.py

The first command measures for about four minutes, and the second one draws its figures.
"""

import math
from typing import Any, NamedTuple

from performance import BOTTOM, HEIGHT, LEFT, RIGHT, STYLE, TOP, WIDTH, Axis, panels_of, redraw, ticks


class Curve(NamedTuple):
    """Label and style of one curve; ``style`` is a class of STYLE."""

    label: str
    style: str


CURVES = {"naive": Curve("naive", "pytorch"), "fp32": Curve("float32", "even"), "bf16": Curve("bfloat16", "engine")}
TITLES = {"memory_size": "Memory", "hops": "Hops", "vocabulary": "Words in the vocabulary"}
LABEL_HEIGHT = 13
MORE_STYLE = "circle.even { fill: #ffffff }\n@media (prefers-color-scheme: dark) { circle.even { fill: #16191d } }\n"


def panel(title: str, curve: dict[str, Any], ys: tuple[float, float]) -> str:
    """Draw one chart; ``ys`` is the range of its vertical axis."""
    values = curve["values"]
    x = Axis(values[0], values[-1], LEFT, WIDTH - RIGHT)
    y = Axis(*ys, HEIGHT - BOTTOM, TOP)
    lines = [
        f'<text class="title" x="{LEFT}" y="18">{title}</text>',
        f'<text x="{LEFT}" y="36">{curve["unit"]}; {curve["kept"]}</text>',
    ]
    for tick in ticks(*ys):
        lines.append(f'<path class="grid" d="M{LEFT} {y.at(tick):.1f}H{WIDTH - RIGHT}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y.at(tick) + 4:.1f}" text-anchor="end">{tick:,g}</text>')
    lines += [
        f'<text x="{x.at(value):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{value:,}</text>'
        for value in values
    ]
    ends = {}
    for mode, (label, style) in CURVES.items():
        if mode not in curve:
            continue
        points = [(x.at(a), y.at(b)) for a, b in zip(values, curve[mode], strict=True)]
        lines.append(f'<path class="{style}" d="M{"L".join(f"{a:.1f} {b:.1f}" for a, b in points)}"/>')
        lines += [f'<circle class="{style}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points]
        ends[label] = points[-1][1]
    below = -math.inf
    for label, end in sorted(ends.items(), key=lambda item: item[1]):
        below = max(end + 4, below + LABEL_HEIGHT)
        lines.append(f'<text x="{x.end + 9:.1f}" y="{below:.1f}">{label}</text>')
    return "\n".join(lines)


def draw(found: dict[str, Any]) -> str:
    growth = found["growth"]
    costs = [cost for curve in growth.values() for mode in CURVES for cost in curve.get(mode, [])]
    ys = min(costs) / 1.3, max(costs) * 1.3
    panels = [panel(title, growth[name], ys) for name, title in TITLES.items()]
    return panels_of(panels, STYLE + MORE_STYLE)


if __name__ == "__main__":
    redraw(__file__, draw)
