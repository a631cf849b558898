"""docs/churn.md: its table of features is that of the code."""

from pathlib import Path

from app.churn_docs import tables
from app.tables_in_docs import with_tables

TEXT = (Path(__file__).parents[1] / "docs" / "churn.md").read_text(encoding="utf-8")


def test_the_table_of_features_is_that_of_the_code() -> None:
    assert with_tables(TEXT, tables()) == TEXT, "run `python -m app.churn_docs docs/churn.md`"
