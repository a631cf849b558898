"""The built-in campaigns: each is for users whom it should speak to, and for no others."""

import json
import tomllib
from importlib.resources import files
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from agents.recall.campaign import Campaign
from agents.recall.possible import OF_LIFECYCLES
from app.rules_file import builtin_rules, load_rules, read_rules
from schemas.contracts import documents
from schemas.times import DAY_MS
from tests.agents.rules.fake_view import Asked, FakeView

ORDERS: Final[Asked] = ("total", 2)
DAYS: Final[Asked] = ("days_active", 60)
LOST: Final[dict[Asked, Any]] = {("tag", "lifecycle"): "lost"}
ACTIVE: Final[dict[Asked, Any]] = {("tag", "lifecycle"): "active"}
BUILTIN: Final = files("agents.rules").joinpath("default.toml").read_text(encoding="utf-8")

AUDIENCES: Final[dict[str, list[tuple[dict[Asked, Any], bool]]]] = {
    "silent": [({}, False), ({DAYS: 2}, False), ({DAYS: 3}, True), ({ORDERS: 1}, True)],
    "lost": [({}, False), ({DAYS: 9}, False), ({ORDERS: 1}, True)],
    "unactivated": [({}, True)],
    "cart_abandoned": [({}, True)],
    "repurchase": [({}, True)],
    "churn_high": [
        ({}, False),
        ({**ACTIVE, ORDERS: 1}, False),
        ({**ACTIVE, ORDERS: 2}, True),
        ({**LOST, ORDERS: 2}, False),
    ],
    "win_back": [({ORDERS: 1}, False), ({ORDERS: 2}, True)],
}


def campaigns() -> dict[str, Campaign]:
    return load_rules().campaigns.by_name


@pytest.mark.parametrize(
    ("name", "answers", "expected"), [(name, *case) for name, cases in AUDIENCES.items() for case in cases]
)
def test_a_built_in_campaign_is_for_whom_it_should_be(name: str, answers: dict[Asked, Any], expected: bool) -> None:
    view: Any = FakeView(answers)
    audience = campaigns()[name].audience
    assert (audience is None or audience(view, None)) is expected


def test_every_built_in_campaign_has_its_cases() -> None:
    assert AUDIENCES.keys() == campaigns().keys()


def test_the_built_in_campaigns_are_right_by_the_rules_for_files() -> None:
    """Among them that their tags exist, and can come to what they wait for."""
    assert read_rules(BUILTIN.encode()).campaigns.fingerprint == load_rules().campaigns.fingerprint


def test_every_built_in_campaign_waits_for_a_tag_says_what_it_means_and_keeps_within_limits() -> None:
    names = load_rules().names | OF_LIFECYCLES.keys()
    for campaign in campaigns().values():
        assert campaign.doc.endswith("."), campaign.name
        assert campaign.on is not None
        assert campaign.on.tag in names
        assert (campaign.mode, campaign.is_test, campaign.quiet is None) == ("on", False, False)
        assert campaign.hold_out == 0.1
        assert campaign.cap is not None
        assert (campaign.cap.most, campaign.cap.per_ms >= 7 * DAY_MS) == (1, True)


def test_the_channels_of_a_built_in_campaign_cost_more_and_more() -> None:
    for campaign in builtin_rules().campaign:
        costs = [channel.cost for channel in campaign.channels or []]
        assert costs == sorted(costs)


def test_editors_take_the_built_in_file_and_no_campaign_with_mistakes() -> None:
    validator = Draft202012Validator(json.loads(documents()["rules.schema.json"]))
    document = tomllib.loads(BUILTIN)
    validator.validate(document)
    mistakes: list[dict[str, Any]] = [{"hold_out": 2}, {"chanels": []}, {"mode": "pause"}, {"on": {}}]
    mistakes += [{"channels": [{"channel": "fax"}]}, {"cap": {"max": 21, "per": "7d"}}, {"quiet_hours": "9-5"}]
    for wrong in mistakes:
        assert not validator.is_valid({"campaign": [{"name": "a", **wrong}]}), wrong
