"""Tables in pages of docs/ that are made from the code: each stands between its markers.

`<!-- NAME: generated -->` and `<!-- end -->`.
"""

import re
from collections.abc import Iterable, Mapping


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """A page with its tables made anew. Raises ValueError where it has not one place for each."""
    for name, table in tables.items():
        between = re.compile(rf"(<!-- {name}: generated -->\n).*?(<!-- end -->)", re.DOTALL)
        page, found = between.subn(lambda match, table=table: f"{match[1]}{table}{match[2]}", page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"the page has {found} places for {name}")
    return page


def table_of(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
