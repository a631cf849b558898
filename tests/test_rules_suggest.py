"""Suggested rules pass the check, and share out the users of the history from which they were made."""

import tomllib
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.limits import DEFAULT_LIMITS
from app.backtest import Backtest
from app.history.formats import FileFormat
from app.history.history import History
from app.report_data import Tag
from app.rules_file import load_rules, read_rules
from app.rules_suggest.known import Buyer
from app.rules_suggest.rules import suggestions
from app.rules_suggest.suggest import NothingKnownError, suggested
from app.rules_suggest.thresholds import TOLERANCE, Distribution
from app.rules_suggest.toml import document, quoted
from schemas.times import DAY_MS, HOUR_MS, Millis
from tests.history.files import write_jsonl
from tests.oracle import Wire

DAY_0: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
REPLACED: Final = {"rfm.recency", "rfm.frequency", "rfm.monetary", "tier", "loyalty"}


def crowd(users: int = 300) -> list[Wire]:
    """Users who order more or less often, for more or less, over a year."""
    random = Random(6)  # noqa: S311  repeatable
    records: list[Wire] = []
    for user in range(users):
        worth = random.lognormvariate(3, 1)
        for number in range(1 + int(random.expovariate(1 / 8))):
            at = DAY_0 + random.randrange(365 * 24) * HOUR_MS + random.randrange(HOUR_MS)
            name, total = f"{user}-{number}", round(worth * random.uniform(0.5, 2), 2)
            records.append({
                "type": "order", "event_id": name, "user_id": f"u{user}", "ts": at, "order_id": name, "total": total
            })  # fmt: skip
    return records


def suggested_from(folder: Path, records: list[Wire], until: Millis | None = None) -> str:
    history = History([write_jsonl(folder / "history.jsonl", records)], dead_letters=lambda _: None, until=until)
    return suggested(history, DEFAULT_LIMITS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suggest")


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return suggested_from(folder, crowd())


@pytest.fixture(scope="module")
def tags(folder: Path, text: str) -> dict[str, Tag]:
    """What a backtest with the suggested rules says."""
    (folder / "rules.toml").write_text(text, encoding="utf-8")
    test = Backtest(DEFAULT_LIMITS, folder / "out", load_rules(folder / "rules.toml"))
    return test.run([folder / "history.jsonl"], FileFormat.WIRE, None, lambda *_: None).tags


def shares(tag: Tag) -> dict[Any, float]:
    return {each.value: each.users / tag.users for each in tag.values}


def test_the_check_takes_what_is_suggested(text: str) -> None:
    book = read_rules(text.encode())
    assert {rule.name for rule in book.rules if rule.version == 2} == REPLACED
    assert book.names == load_rules().names
    assert text.startswith("# Suggested by `rekindle rules suggest` from 300 users with an order, as of 2024-12-30")


@pytest.mark.parametrize("name", ["rfm.recency", "rfm.monetary"])
def test_each_score_has_a_fifth_of_the_users(name: str, tags: dict[str, Tag]) -> None:
    found = shares(tags[name])
    assert sorted(found) == [1, 2, 3, 4, 5]
    assert all(0.2 - 2 * TOLERANCE - 0.005 < share < 0.2 + 2 * TOLERANCE + 0.005 for share in found.values()), found


def test_scores_of_whole_numbers_are_as_near_as_those_allow(tags: dict[str, Tag]) -> None:
    found = shares(tags["rfm.frequency"])
    assert all(0.1 < share < 0.32 for share in found.values()), found


def test_tiers_and_loyalty_have_the_best_twentieth_and_fifth(tags: dict[str, Tag]) -> None:
    tier, loyalty = shares(tags["tier"]), shares(tags["loyalty"])
    assert 0.04 < tier["vip"] < 0.06
    assert 0.18 < tier["vip"] + tier["core"] < 0.22
    assert 0.03 < loyalty["devoted"] < 0.07
    assert set(loyalty) == {"devoted", "regular", "repeat", "one_time"}


def test_the_best_tier_asks_for_as_many_days_as_a_tenth_of_the_users_have() -> None:
    buyers = [Buyer(1, days, 10.0 * days, days) for days in range(1, 101)]
    tier = next(rule for rule in suggestions(buyers) if rule.name == "tier")
    assert [choice.when for choice in tier.choices] == [
        "spend() >= 960 and purchase_days >= 90",
        "spend() >= 810 and purchase_days >= 60",
    ]


def test_what_each_value_is_said_to_have_it_has(text: str, tags: dict[str, Tag]) -> None:
    lines = [line for line in text.splitlines() if line.endswith("of them")]
    told = sorted(float(line.rsplit("# ")[1].split("%")[0]) for line in lines)
    found = [round(100 * share, 1) for name in REPLACED for share in shares(tags[name]).values() if share]
    assert told == pytest.approx(sorted(found), abs=0.051)


def test_until_is_when_it_is_asked_for(tmp_path: Path) -> None:
    early = suggested_from(tmp_path, crowd(), until=DAY_0 + 100 * DAY_MS)
    assert "as of 2024-04-10 00:00:00 UTC" in early
    recency = next(tag for tag in tomllib.loads(early)["tag"] if tag["name"] == "rfm.recency")
    assert all(int(choice["when"].split()[-1]) <= 100 for choice in recency["values"])


def test_who_never_ordered_is_no_reason_for_a_threshold(tmp_path: Path) -> None:
    looker = {"type": "click", "event_id": "c", "user_id": "z", "ts": DAY_0, "item_id": "i"}
    assert "from 300 users with an order" in suggested_from(tmp_path, [*crowd(), looker])
    with pytest.raises(NothingKnownError, match="nobody ordered"):
        suggested_from(tmp_path, [looker])


def test_what_is_usual_is_the_mean_of_the_users_shares(tmp_path: Path) -> None:
    def click(number: int, user: str, category: str) -> Wire:
        fields = {"item_id": "i", "category": category, "price": 5, "channel": "web"}
        return {"type": "click", "event_id": f"c{number}", "user_id": user, "ts": DAY_0 + number, **fields}

    clicks = [click(n, "anna", "shoes") for n in range(9)] + [
        click(9, "anna", "hats"),
        click(10, "ben", 'say "hi"\n\x7f'),
    ]
    order = {"type": "order", "event_id": "o", "user_id": "ben", "ts": DAY_0, "order_id": "o", "total": 5}
    text = suggested_from(tmp_path, [*clicks, order])
    read_rules(text.encode())
    usual = tomllib.loads(text)["population"]
    assert usual["category"] == {'say "hi"\n\x7f': 0.5, "shoes": 0.45, "hats": 0.05}
    assert usual["price_band"] == {"4-8": 1.0}
    assert usual["channel"] == {"web": 1.0}
    assert usual["hour"] == {"0": 1.0}
    assert "brand" not in usual


def test_hours_are_those_of_the_users_clocks(tmp_path: Path) -> None:
    zone = {"type": "profile", "event_id": "p", "user_id": "a", "ts": DAY_0, "attributes": {"timezone": "+08:00"}}
    order = {"type": "order", "event_id": "o", "user_id": "a", "ts": DAY_0 + 20 * HOUR_MS, "order_id": "o", "total": 5}
    assert tomllib.loads(suggested_from(tmp_path, [zone, order]))["population"]["hour"] == {"4": 1.0}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.builds(Buyer, *[st.integers(0, 9)] * 2, st.integers(-5_000, 50_000).map(lambda n: n / 7), st.integers(1, 9)),
        min_size=1,
        max_size=30,
    )
)
def test_whoever_buys_the_rules_can_be_used(buyers: list[Buyer]) -> None:
    found = [each._replace(frequency=max(each.frequency, each.purchase_days)) for each in buyers]
    rules = suggestions(found)
    read_rules(document([], {}, rules).encode())
    for rule in rules:
        assert sum(choice.share for choice in rule.choices) + rule.rest == pytest.approx(1)
        assert len({choice.when for choice in rule.choices}) == len(rule.choices)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=60), st.sampled_from([0.05, 0.2, 0.4, 0.6, 0.8]))
def test_no_other_threshold_is_much_nearer(numbers: list[int], share: float) -> None:
    known = Distribution(numbers)
    best = min(abs(known.share_at_least(each) - share) for each in [*numbers, max(numbers) + 1])
    found = abs(known.share_at_least(known.threshold(share)) - share)
    nobody = share  # a threshold that nobody reaches is none
    assert found <= best + TOLERANCE + 1e-9 or best == nobody


def test_of_thresholds_that_are_as_good_the_roundest_is_taken() -> None:
    numbers = [each + 0.37 for each in range(10_000)]
    assert [Distribution(numbers).threshold(share) for share in (0.8, 0.2, 0.057)] == [2_000, 8_000, 9_400]
    assert Distribution([7] * 90 + [19] * 10).threshold(0.2) == 10


def test_a_text_is_quoted_as_toml_has_it() -> None:
    for text in ('a"b', "a\\b", "tab\t", "line\nend\r", "\x00\x1f\x7f\x85", "\U0001f600 \u2028", "'''"):
        assert tomllib.loads(f"{quoted(text)} = {quoted(text)}") == {text: text}


def test_the_order_of_the_lines_makes_no_difference(tmp_path: Path, text: str) -> None:
    assert suggested_from(tmp_path, crowd()[::-1]) == text
