"""The figures that the paper prints for bAbI."""

from __future__ import annotations

import pytest

from memn2n import InputError
from memn2n.reproduce import read_table
from memn2n.reproduce.babi.paper import TABLES


@pytest.mark.parametrize("name", TABLES)
def test_the_printed_means_and_counts_are_those_of_the_rows(name: str) -> None:
    table = read_table(name)
    assert list(table.tasks) == list(range(1, 21))
    for column in table.columns.values():
        if column.source and not column.errors:  # of another paper, which prints only the mean
            continue
        rounding = 0.0051 if column.source else 0.00051  # the other papers print whole percents
        assert sum(column.errors.values()) / 20 == pytest.approx(column.printed_mean, abs=rounding), column.name
        counted = sum(error > 0.05 for error in column.errors.values())
        # one printed count includes a task whose error is printed as 5.0
        borderline = sum(error == 0.05 for error in column.errors.values())
        assert counted <= column.printed_failed <= counted + borderline, column.name


def test_figures_of_the_best_known_columns() -> None:
    best = read_table("babi-1k").columns["PE LS RN"]
    assert (best.printed_mean, best.printed_failed) == (0.139, 11)
    assert best.errors[3] == 0.403
    starred = read_table("babi-10k").columns["PE LS LW RN*"]
    assert (starred.errors[17], starred.errors[19], starred.printed_mean) == (0.186, 0.023, 0.042)
    assert read_table("babi-1k").tasks[6] == "yes/no questions"


def test_a_mean_over_some_tasks() -> None:
    column = read_table("babi-1k").columns["PE LS RN"]
    assert column.mean(range(1, 21)) == 0.139, "as printed"
    assert column.mean([2, 3]) == pytest.approx((0.083 + 0.403) / 2)
    assert column.failed([1, 2, 3]) == 2
    assert column.mean([]) is None


def test_figures_of_other_papers_have_a_source() -> None:
    for name, mean, failed in (("babi-1k", 0.127, 10), ("babi-10k", 0.037, 3)):
        gated = read_table(name).columns["gated"]
        assert (gated.printed_mean, gated.printed_failed) == (mean, failed)
        assert "Liu and Perez 2016" in gated.source
    every = range(1, 21)
    assert (gated.mean(every), gated.failed(every)) == (0.037, 3)
    assert (gated.mean([1, 2]), gated.failed([1, 2])) == (None, None), "the errors of single tasks are not known"
    assert read_table("babi-1k").columns["supervised joint"].errors[19] == 0.81
    assert not any(column.source for column in read_table("babi-1k").columns.values() if "PE" in column.name)


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(InputError, match="no table 'babi-2k'; there are: babi-1k, babi-10k"):
        read_table("babi-2k")
