"""The tables in docs/rules.md, made from the catalogue of functions and from the built-in rules.

`python -m app.rules_docs docs/rules.md` writes them anew; a test compares them with what the code says now.
"""

import sys
from pathlib import Path

from agents.rules.functions import FUNCTIONS
from app.rules_file import builtin_rules
from app.tables_in_docs import table_of, with_tables


def tables() -> dict[str, str]:
    """The tables, by the name of their markers."""
    asked = ((f"`{each.signature}`", each.kind, "yes" if each.nullable else "", each.doc) for each in FUNCTIONS)
    built = ((f"`{each.name}`", each.kind.basis, each.doc) for each in builtin_rules().tag)
    return {
        "functions": table_of(("expression", "gives", "may be unknown", "meaning"), asked),
        "built-in tags": table_of(("tag", "basis", "meaning"), built),
    }


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(with_tables(document.read_text(encoding="utf-8"), tables()), encoding="utf-8")
