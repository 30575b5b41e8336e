"""Draw docs/figures/answer.svg: train on simulated stories of task 1, and show an answer with its attention.

Run it with `python docs/figures/answer.py`. It takes about 15 seconds.
"""

import io
from pathlib import Path

from rich.console import Console

import memn2n
from memn2n.explain.tables import attention_table

STORY = [
    "Mary moved to the bathroom.",
    "John went to the hallway.",
    "Mary travelled to the office.",
    "Daniel went back to the garden.",
    "John journeyed to the bathroom.",
]
SVG = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: Menlo, Consolas, DejaVu Sans Mono, monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    train, _ = memn2n.simulate(task=1, n_train=1000, n_test=0, seed=0)
    qa = memn2n.StoryQA.fit(train, restarts=1, seed=0)
    answer = qa.answer(STORY, "Where is Mary?")
    console = Console(record=True, file=io.StringIO(), width=82, force_terminal=True, color_system="truecolor")
    console.print(attention_table(answer))
    svg = console.export_svg(title="memn2n", code_format=SVG, unique_id="memn2n")
    Path(__file__).with_suffix(".svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
