"""The paper's tables, trained again: its figures and ours side by side."""

from memn2n.reproduce.paper import TABLES, Table, read_table
from memn2n.reproduce.recipe import Recipe, read_recipes
from memn2n.reproduce.report import ColumnReport, TableReport
from memn2n.reproduce.run import Progress, run_table

__all__ = ["TABLES", "ColumnReport", "Progress", "Recipe", "Table", "TableReport", "read_recipes", "read_table",
           "run_table"]  # fmt: skip
