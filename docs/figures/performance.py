"""Draw docs/figures/performance.svg: how the cost of training grows.

    python -m benchmarks.qa --scaling --json docs/figures/performance.json && python docs/figures/performance.py

The first command measures for about a minute; the second one draws its results.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

WIDTH, HEIGHT = 400, 262  # of a panel, labels included
LEFT, RIGHT, TOP, BOTTOM = 52, 82, 52, 36
STYLE = """\
.paper { fill: #ffffff }
text { font: 12px sans-serif; fill: #333333 }
.title { font-weight: bold }
.grid { stroke: #dddddd }
.engine { stroke: #005a9c; fill: #005a9c }
.pytorch { stroke: #b5490b; fill: #ffffff; stroke-dasharray: 6 4 }
.even { stroke: #777777; stroke-dasharray: 2 3 }
path { fill: none !important; stroke-width: 2 }
path.grid { stroke-width: 1 }
circle, rect { stroke-width: 2; stroke-dasharray: none !important }
@media (prefers-color-scheme: dark) {
  .paper { fill: #16191d }
  text { fill: #d0d4d8 }
  .grid { stroke: #383d44 }
  .engine { stroke: #7cc0ff; fill: #7cc0ff }
  .pytorch { stroke: #f0a060; fill: #16191d }
  .even { stroke: #9aa0a6 }
}
"""


class Axis(NamedTuple):
    """A logarithmic axis from ``low`` to ``high``, drawn from ``begin`` to ``end``."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)


def panel(
    title: str, unit: str, xs: list[int], shown: list[int], ys: tuple[float, float], curves: dict[str, list[float]]
) -> str:
    """One chart.

    Args:
        title: the varied quantity.
        unit: the measured quantity, and the values that are kept.
        xs: the values of the varied quantity.
        shown: the values with a label.
        ys: the range of the y axis.
        curves: "engine", "pytorch" or "even" -> a y value for each of xs.
    """
    x = Axis(xs[0], xs[-1], LEFT, WIDTH - RIGHT)
    y = Axis(*ys, HEIGHT - BOTTOM, TOP)
    lines = [
        f'<text class="title" x="{LEFT}" y="18">{title}</text>',
        f'<text x="{LEFT}" y="36">{unit}</text>',
    ]
    for tick in ticks(*ys):
        lines.append(f'<path class="grid" d="M{LEFT} {y.at(tick):.1f}H{WIDTH - RIGHT}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y.at(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    lines += [
        f'<text x="{x.at(value):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{value}</text>' for value in shown
    ]
    for name, values in curves.items():
        points = [(x.at(a), y.at(b)) for a, b in zip(xs, values, strict=True)]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        lines.append(f'<path class="{name}" d="M{path}"/>')
        if name != "even":
            lines += [mark(name, *point) for point in points]
        label = {"engine": "engine", "pytorch": "PyTorch", "even": "even share"}[name]
        lines.append(
            f'<text x="{points[-1][0] + 9:.1f}" y="{points[-1][1] + (16 if name == "even" else 4):.1f}">{label}</text>'
        )
    return "\n".join(lines)


def ticks(low: float, high: float) -> list[float]:
    """Powers of ten; on a short axis also 2 and 5 times powers of ten."""
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 50 else (1,)
    return [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]


def mark(name: str, x: float, y: float) -> str:
    if name == "engine":
        return f'<circle class="engine" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    return f'<rect class="pytorch" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>'


def draw(found: dict[str, Any]) -> str:
    curves, cores = found["scaling"], found["machine"]["cores"]
    base = curves["base"]
    kept = {"sentences": f"{base['sentences']} sentences", "hops": f"{base['hops']} hops", "dim": f"d = {base['dim']}"}
    titles = {"sentences": "Sentences in a story", "hops": "Hops", "dim": "Components d"}
    shown = {"sentences": [2, 5, 10, 20, 50], "hops": [1, 2, 3, 4, 6, 8], "dim": [5, 10, 20, 50, 100, 256, 512]}
    both = [value for name in titles for key in ("engine", "pytorch") for value in curves[name][key]]
    ys = min(both) / 1.3, max(both) * 1.3
    panels = []
    for name, title in titles.items():
        unit = "µs an example; " + ", ".join(text for key, text in kept.items() if key != name)
        curve = {key: curves[name][key] for key in ("engine", "pytorch")}
        xs = curves[name]["values"]
        panels.append(panel(title, unit, xs, [x for x in shown[name] if x in xs], ys, curve))
    xs, measured = curves["restarts"]["values"], curves["restarts"]["engine"]
    even = [measured[0] * n / min(n, cores) for n in xs]
    ys = min(even) / 1.3, max(*even, *measured) * 1.3
    unit = f"seconds for all; {', '.join(kept.values())}"
    panels.append(panel(f"Restarts, {cores} at a time", unit, xs, xs, ys, {"even": even, "engine": measured}))
    return panels_of(panels)


def panels_of(panels: list[str], style: str = STYLE) -> str:
    """The picture with two charts in each row."""
    placed = "\n".join(
        f'<g transform="translate({i % 2 * WIDTH} {i // 2 * HEIGHT})">\n{text}\n</g>' for i, text in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {2 * HEIGHT}">\n'
        f"<style>\n{style}</style>\n"
        f'<rect class="paper" width="100%" height="100%"/>\n{placed}\n</svg>\n'
    )


def redraw(script: str, draw: Callable[[dict[str, Any]], str]) -> None:
    """Write ``script``'s SVG file from its JSON file."""
    here = Path(script)
    found = json.loads(here.with_suffix(".json").read_text(encoding="utf-8"))
    here.with_suffix(".svg").write_text(draw(found), encoding="utf-8")


if __name__ == "__main__":
    redraw(__file__, draw)
