"""The paper's tables, trained again: its figures and ours side by side."""

from memn2n.reproduce.lm_recipe import LMRecipe, read_lm_recipes
from memn2n.reproduce.lm_report import LMTableReport, RowReport
from memn2n.reproduce.lm_run import LMEvent, run_lm_table
from memn2n.reproduce.paper import LM_TABLE, TABLES, LMFigures, Table, read_lm_figures, read_table
from memn2n.reproduce.recipe import Recipe, read_recipes
from memn2n.reproduce.report import ColumnReport, TableReport
from memn2n.reproduce.run import Progress, run_table
from memn2n.reproduce.transfer import TransferReport, TransferRow, run_transfer

__all__ = ["LM_TABLE", "TABLES", "ColumnReport", "LMEvent", "LMFigures", "LMRecipe", "LMTableReport", "Progress",
           "Recipe", "RowReport", "Table", "TableReport", "TransferReport", "TransferRow", "read_lm_figures",
           "read_lm_recipes", "read_recipes", "read_table", "run_lm_table", "run_table", "run_transfer"]  # fmt: skip
