"""The README tells what is there."""

from pathlib import Path
from typing import Final

import pytest
from typer.main import get_command

from app.cli import app
from app.settings import Settings, shown

README: Final = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_listed_with_its_default(name: str) -> None:
    field = Settings.model_fields[name]
    assert f"| `REKINDLE_{name.upper()}` | {shown(name, field.default) or 'none'} | {field.description} |" in README


def test_no_setting_is_listed_that_does_not_exist() -> None:
    assert README.count("| `REKINDLE_") == len(Settings.model_fields)


@pytest.mark.parametrize("name", sorted(getattr(get_command(app), "commands", {})))
def test_every_command_is_listed(name: str) -> None:
    assert f"| `{name}` |" in README
