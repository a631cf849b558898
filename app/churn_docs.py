"""The table of features in docs/churn.md, made from their catalogue.

`python -m app.churn_docs docs/churn.md` writes it anew; a test compares it with what the code says now.
"""

import sys
from pathlib import Path

from agents.churn.catalogue import FEATURES
from app.tables_in_docs import table_of, with_tables


def tables() -> dict[str, str]:
    """The table, by the name of its markers."""
    rows = ((f"`{feature.name}`", feature.doc, feature.unit) for feature in FEATURES)
    return {"features": table_of(("feature", "meaning", "unit"), rows)}


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(with_tables(document.read_text(encoding="utf-8"), tables()), encoding="utf-8")
