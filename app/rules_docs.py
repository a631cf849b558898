"""The tables in docs/rules.md, made from the catalogue of functions and from the built-in rules.

`python -m app.rules_docs docs/rules.md` writes them anew; a test compares them with what the code says now.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from agents.rules.functions import FUNCTIONS
from app.rules_file import builtin_rules


def tables() -> dict[str, str]:
    """The tables, by the name of their markers."""
    asked = ((f"`{each.signature}`", each.kind, "yes" if each.nullable else "", each.doc) for each in FUNCTIONS)
    built = ((f"`{each.name}`", each.kind.basis, each.doc) for each in builtin_rules().tag)
    return {
        "functions": _table(("expression", "gives", "may be unknown", "meaning"), asked),
        "built-in tags": _table(("tag", "basis", "meaning"), built),
    }


def with_tables(page: str) -> str:
    """A page with its tables made anew: each stands between `<!-- NAME: generated -->` and `<!-- end -->`."""
    for name, table in tables().items():
        between = re.compile(rf"(<!-- {name}: generated -->\n).*?(<!-- end -->)", re.DOTALL)
        page, found = between.subn(lambda match, table=table: f"{match[1]}{table}{match[2]}", page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"the page has {found} places for {name}")
    return page


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(with_tables(document.read_text(encoding="utf-8")), encoding="utf-8")
