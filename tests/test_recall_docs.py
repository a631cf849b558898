"""docs/recall.md: its tables are those of the structs and of the built-in campaigns, and its examples can be used."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from msgspec import NODEFAULT, UNSET, Struct
from typer.testing import CliRunner

from app.cli import app
from app.recall_docs import tables
from app.rules_file import builtin_rules, read_rules
from app.tables_in_docs import with_tables
from schemas.campaigns import CampaignTable, CapTable, ChannelTable, OnTable, RecallTable, VariantTable

PAGE: Final = Path(__file__).parents[1] / "docs" / "recall.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")
EXAMPLES: Final = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
SECTIONS: Final[dict[str, type[Struct]]] = {
    "## What a campaign can say": CampaignTable,
    "### On which change: `on`": OnTable,
    "### On which channels: `channels`": ChannelTable,
    "### In which version: `variants`": VariantTable,
    "### How often: `cap`": CapTable,
    "## What holds for all campaigns": RecallTable,
}
IN_WORDS: Final = {"channels": "needed", "doc": "none", "variants": "one message for all"}
"""Defaults that the page tells in words of its own."""


def rows(section: str) -> list[list[str]]:
    """Key, meaning and default of each row of the table in a section."""
    _, _, after = TEXT.partition(f"{section}\n")
    table = re.split(r"\n#", after)[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]


def written(value: Any) -> str:
    """A default as the page has it: TOML in backticks, but for numbers and truth values."""
    if isinstance(value, bool) or not isinstance(value, str | list | CapTable):
        return str(value).lower()
    if isinstance(value, CapTable):
        return f'`{{ max = {value.max}, per = "{value.per}" }}`'
    return f"`{msgspec.json.format(msgspec.json.encode(value), indent=0).decode()}`"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_stands_in_its_table_in_its_order(section: str) -> None:
    keys = [key for key, *_ in rows(section)]
    assert keys == [f"`{field.encode_name}`" for field in msgspec.structs.fields(SECTIONS[section])]


@pytest.mark.parametrize("section", SECTIONS)
def test_what_holds_if_a_key_is_left_out_is_the_default_of_the_struct(section: str) -> None:
    for field, row in zip(msgspec.structs.fields(SECTIONS[section]), rows(section), strict=True):
        key, _, default = row
        factory = field.default_factory
        value = factory() if factory is not NODEFAULT else field.default
        if field.name in IN_WORDS:
            assert default == IN_WORDS[field.name], key
        elif value is NODEFAULT:
            assert default == "needed", key
        elif value is not UNSET:
            assert default == written(value), key


def test_the_table_of_built_in_campaigns_is_that_of_the_file() -> None:
    assert with_tables(TEXT, tables()) == TEXT, "run `python -m app.recall_docs docs/recall.md`"
    assert all(f"| `{campaign.name}` |" in TEXT for campaign in builtin_rules().campaign)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_can_be_used(example: str) -> None:
    assert read_rules(example.encode()).campaigns.all


def test_the_examples_can_be_used_together() -> None:
    names = {campaign.name for campaign in builtin_rules().campaign}
    campaigns = read_rules("".join(EXAMPLES).encode()).campaigns
    assert campaigns.by_name.keys() - names == {"vip_silent", "stay", "second_try", "new_shop"}
    assert names - campaigns.by_name.keys() == {"win_back"}


def test_what_is_shown_of_the_command_is_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for content in (EXAMPLES[0].replace("0.05", "0.045"), EXAMPLES[0]):
        Path("rules.toml").write_text(content)
        said = CliRunner().invoke(app, ["rules", "check", "rules.toml"], env={"COLUMNS": "200"}).stdout
        assert f"$ rekindle rules check rules.toml\n{said}" in TEXT
