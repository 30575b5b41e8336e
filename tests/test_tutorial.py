"""The notebook docs/tutorial.ipynb: its format, and its execution from the first cell to the last."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs" / "tutorial.ipynb"


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_file_is_stable() -> None:
    """Valid, and without outputs or traces of a machine, so that a change shows in a diff as it is."""
    notebook = read()
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        assert cell.metadata == {}
        assert re.fullmatch(r"[a-z0-9]+", cell.id)  # named, so that no editor invents another
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
    assert nbformat.writes(notebook) == NOTEBOOK.read_text("utf-8").rstrip("\n")


def test_the_notebook_shows_what_its_text_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test, so that the notebook is executed once; a cell that raises an error fails it."""
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))  # the home directory is neither read nor written
    notebook = read()
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    printed = {
        name: "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
        for name, cell in cells.items()
    }
    check_the_order_of_sentences(printed["hop"], printed["time"])
    check_the_order_of_words(printed["weights"])
    check_the_training(printed["fit"], printed["task2"])
    # The notebook compares the hop by hand with the trained network itself: for two networks, with two assertions.
    assert cells["check"].source.count("assert ") == 2
    assert re.findall(r"(\w+) \(\d+%\), by hand (\w+)", printed["check"]) == [("garden", "garden")] * 2
    for name in ("answer", "own"):
        (output,) = cells[name].outputs
        assert output.output_type == "execute_result"
        assert "kitchen" in output.data.get("text/html", output.data["text/plain"])


def check_the_order_of_sentences(without_time: str, with_time: str) -> None:
    """Without time, two sentences about the person tie; with time, the later one wins."""
    tie, decided = (
        {place: int(share) for place, share in re.findall(r"(garden|kitchen|office) (\d+)%", text)}
        for text in (without_time, with_time)
    )
    assert tie["garden"] == tie["kitchen"] > 30 > tie["office"]
    assert decided["garden"] > 90


def check_the_order_of_words(text: str) -> None:
    """Two sentences of the same words are equal as bags, and differ with position encoding."""
    (bag, positions), (other_bag, other_positions) = re.findall(r"bag (\[.*?\])  with positions (\[.*?\])", text)
    assert bag == other_bag
    assert positions != other_positions


def check_the_training(task_1: str, task_2: str) -> None:
    """Task 1 needs the order of sentences, task 2 needs more than one hop."""
    without, with_order = (float(share) for share in re.findall(r"test error .*: ([0-9.]+)%", task_1))
    assert with_order < 5 < 20 < without < 45  # right in two of three questions
    one, two, three = (float(share) for share in re.findall(r"test error ([0-9.]+)%", task_2))
    assert max(two, three) < 30 < 50 < one
