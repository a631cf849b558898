"""The table of metrics in docs/metrics.md, made from their names in the code.

`python -m app.metrics_docs docs/metrics.md` writes it anew; a test compares it with what the code says now.
"""

import sys
from pathlib import Path

from app.live.metric_names import METRICS
from app.tables_in_docs import table_of, with_tables


def tables() -> dict[str, str]:
    """The table, by the name of its markers."""
    rows = (
        (f"`{each.name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels), each.unit, each.doc)
        for each in METRICS
    )
    return {"metrics": table_of(("metric", "type", "labels", "unit", "meaning"), rows)}


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(with_tables(document.read_text(encoding="utf-8"), tables()), encoding="utf-8")
