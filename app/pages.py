"""How pages are made: Jinja templates in which everything is escaped, with the words of `app.wording` as filters."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import wording

_TEMPLATES: Final = Path(__file__).parent / "templates"
_FILTERS: Final = (wording.counted, wording.day, wording.moment, wording.number, wording.span, wording.value)


def environment(**names: Any) -> Environment:
    """An environment whose templates know these names too."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.do"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({each.__name__: each for each in _FILTERS})
    made.globals.update(wording=wording, **names)
    return made
