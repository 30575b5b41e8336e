"""The paper's tables, trained again: its figures and ours side by side."""

from memn2n.reproduce.babi.recipe import Recipe, read_recipes
from memn2n.reproduce.babi.report import ColumnReport, TableReport
from memn2n.reproduce.babi.run import Progress, run_table
from memn2n.reproduce.babi.transfer import TransferReport, TransferRow, run_transfer
from memn2n.reproduce.paper import LM_TABLE, TABLES, LMFigures, Table, read_lm_figures, read_table
from memn2n.reproduce.ptb.recipe import LMRecipe, read_lm_recipes
from memn2n.reproduce.ptb.report import LMTableReport, RowReport
from memn2n.reproduce.ptb.run import LMEvent, run_lm_table

__all__ = ["LM_TABLE", "TABLES", "ColumnReport", "LMEvent", "LMFigures", "LMRecipe", "LMTableReport", "Progress",
           "Recipe", "RowReport", "Table", "TableReport", "TransferReport", "TransferRow", "read_lm_figures",
           "read_lm_recipes", "read_recipes", "read_table", "run_lm_table", "run_table", "run_transfer"]  # fmt: skip
