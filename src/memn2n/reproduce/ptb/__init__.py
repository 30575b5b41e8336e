"""The paper's table on Penn Treebank."""
