"""`rekindle rules functions`."""


def functions() -> None:
    """List what expressions can ask of a user."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from agents.rules.functions import FUNCTIONS

    table = Table("expression", "gives", "meaning")
    for each in FUNCTIONS:
        gives = f"{each.kind}, or unknown" if each.nullable else str(each.kind)
        table.add_row(Text(each.signature), gives, Text(each.doc))
    Console(highlight=False).print(table)
