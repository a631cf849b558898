"""How policies are judged: by lessons of a world with known truth, from a backtest, and from a log of live triggers."""

import json
from math import log1p
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from app import policy_wording
from app.cli import app
from app.policy_data import CampaignPolicies, PolicyValue
from app.policy_report import judged
from schemas.events import RecallChannel
from schemas.examples import Lesson, Swept
from schemas.times import DAY_MS, HOUR_MS
from tests.oracle import Wire

DECISIONS: Final = 4_000
COSTS: Final = {"push": 2, "sms": 5}


def chance_of_recall(channel: str, orders: float) -> float:
    """Push works for those who have not bought, sms for those who have."""
    return 0.5 if (channel == "push") == (orders == 0) else 0.1


def lessons(seed: int, propensity: float = 0.5) -> list[Lesson]:
    """Decisions of two campaigns' worth, a minute apart, each known a day later; push is logged so often."""
    random, found = Random(seed), []  # noqa: S311  people, no secret
    for number in range(DECISIONS):
        orders = log1p(random.choice([0, 2]))
        channel: RecallChannel = "push" if random.random() < propensity else "sms"
        is_recalled = random.random() < chance_of_recall(channel, orders)
        at = number * 10 * 60_000
        found.append(
            Lesson(
                user=f"{number:016x}",
                at=at,
                as_of=at + DAY_MS,
                campaign="silent",
                channel=channel,
                propensities={"push": propensity, "sms": 1 - propensity},
                context={"orders": orders},
                reward=100 * is_recalled - COSTS[channel],
            )
        )
    return found


def by_policy(campaign: CampaignPolicies) -> dict[str, PolicyValue]:
    return {each.policy: each for each in campaign.policies}


TRUTH: Final = {"push": 0.3 - 0.02, "in_order": 0.3 - 0.02, "sms": 0.3 - 0.05, "uniform": 0.3 - 0.035}


@pytest.mark.parametrize("propensity", [0.5, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_each_policy_is_worth_what_it_is(seed: int, propensity: float) -> None:
    (campaign,) = judged(lessons(seed, propensity))
    found = by_policy(campaign)
    assert (campaign.campaign, campaign.decisions, campaign.users) == ("silent", DECISIONS, DECISIONS)
    assert list(found) == ["logged", "in_order", "uniform", "learned", "push", "sms"]
    for name, truth in TRUTH.items():
        value = found[name]
        assert abs(value.inverse_propensity - truth) < 3 * value.inverse_propensity_error
        assert abs(value.doubly_robust - truth) < 3 * value.doubly_robust_error
        assert value.doubly_robust_error <= value.inverse_propensity_error * 1.001


def test_the_learned_policy_is_seen_to_be_better_than_any_that_is_the_same_for_all() -> None:
    (campaign,) = judged(lessons(7))
    found = by_policy(campaign)
    learned = found["learned"]
    for name in ("logged", "in_order", "uniform", "push", "sms"):
        assert learned.doubly_robust > found[name].doubly_robust + 3 * learned.doubly_robust_error


def test_a_policy_knows_nothing_of_what_is_told_after_its_decision() -> None:
    """Where nothing is known before the last decision, the learned policy is chance all the way."""
    late = [replace(each, as_of=DECISIONS * DAY_MS) for each in lessons(7)]
    found = by_policy(judged(late)[0])
    assert found["learned"] == replace(found["uniform"], policy="learned")


def test_the_order_of_lessons_makes_no_difference() -> None:
    said = lessons(3)
    assert judged(said) == judged(said[::-1])


def test_what_is_always_one_channel_is_the_first_where_that_one_is_closed() -> None:
    said = [replace(each, propensities={"push": 1.0}) for each in lessons(1) if each.channel == "push"]
    both = [*said, *(replace(each, user="f" * 16, campaign="silent") for each in lessons(2)[:1])]
    found = by_policy(judged(both)[0])
    assert found["sms"].inverse_propensity == pytest.approx(found["logged"].inverse_propensity, abs=0.01)


def test_campaigns_are_judged_each_by_itself() -> None:
    said = lessons(1)
    two = [*said, *(replace(each, campaign="lost", reward=7) for each in said)]
    assert [each.campaign for each in judged(two)] == ["lost", "silent"]
    assert judged(two)[1] == judged(said)[0]


RULES: Final = """
[recall]
quiet_hours = "none"
cap = { max = 20, per = "1d" }
[[campaign]]
name = "silent"
on = { tag = "lifecycle", to = "silent" }
channels = [{ channel = "push", cost = 0.02 }, { channel = "sms", cost = 0.05 }, { channel = "coupon", cost = 1 }]
choose = "learned"
value = 2
"""
START: Final = 19_710 * DAY_MS
USERS: Final = 60


def history(folder: Path) -> Path:
    """Everyone agrees to push, every other user to sms; they go silent again and again, and come back by themselves."""
    random, found = Random(5), list[Wire]()  # noqa: S311  people, no secret
    for number in range(USERS):
        head: Wire = {"user_id": f"u{number}", "ts": START + number}
        agreed = {"push": True, "sms": number % 2 == 0}
        said = {"type": "profile", "event_id": "p", "consent": agreed, "reachable": ["push", "sms"]}
        found.append({**head, **said})
        at = START
        for visit in range(8):
            found.append({**head, "type": "click", "item_id": "i", "event_id": f"c{visit}", "ts": at})
            at += 30 * DAY_MS + random.choice([HOUR_MS, 3 * DAY_MS])
    file = folder / "history.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in sorted(found, key=lambda each: each["ts"])))
    return file


def backtest(folder: Path, *options: str) -> tuple[str, dict[str, object]]:
    (folder / "rules.toml").write_text(RULES)
    arguments = ["backtest", str(history(folder)), "--out", str(folder / "out"), "--rules", str(folder / "rules.toml")]
    result = CliRunner().invoke(app, [*arguments, *options])
    assert result.exit_code == 0, result.output
    return result.output, json.loads((folder / "out" / "report.json").read_bytes())


def test_a_backtest_judges_by_its_own_decisions_and_says_that_nobody_answered(tmp_path: Path) -> None:
    output, report = backtest(tmp_path, "--policy")
    policies = msgspec.convert(report["policies"], dict)
    assert policies["is_from_log"] is False
    (campaign,) = policies["campaigns"]
    said = [json.loads(line) for line in (tmp_path / "out" / "recall-decisions.jsonl").read_text().splitlines()]
    triggered = [each for each in said if each["outcome"] == "triggered" and each["campaign"] == "silent"]
    lines = (tmp_path / "out" / "lessons.jsonl").read_bytes().splitlines()
    written = [msgspec.json.decode(line, type=Lesson) for line in lines]
    assert campaign["campaign"] == "silent"
    assert campaign["decisions"] == len(written) > 300
    told = {(each["at"], each["recall_channel"], str(each["propensities"])) for each in triggered}
    assert {(each.at, str(each.channel), str(each.propensities)) for each in written} <= told
    assert {tuple(each.propensities) for each in written} == {("push", "sms", "coupon"), ("push", "coupon")}
    logged = campaign["policies"][0]
    assert logged["inverse_propensity"] == pytest.approx(sum(each.reward for each in written) / len(written) / 100)
    assert " ".join(policy_wording.NOBODY_ANSWERS.split()) in " ".join(output.split())
    page = (tmp_path / "out" / "report.html").read_text()
    assert policy_wording.NOBODY_ANSWERS in page
    assert "coupon where it is open, else the first that is" in page


def test_with_predictions_channels_are_chosen_as_they_were_learnt(tmp_path: Path) -> None:
    backtest(tmp_path, "--policy", "--predict-every", "15d")
    said = [json.loads(line) for line in (tmp_path / "out" / "recall-decisions.jsonl").read_text().splitlines()]
    chosen = [each for each in said if each["outcome"] == "triggered" and each["campaign"] == "silent"]
    assert chosen[0]["policy"] == "uniform"
    last = chosen[-1]
    assert last["policy"].endswith("T00:00:00Z")
    assert max(last["propensities"].values()) > 0.9


def test_without_the_option_nothing_of_it_is_written(tmp_path: Path) -> None:
    _, report = backtest(tmp_path)
    assert report["policies"] is None
    assert not (tmp_path / "out" / "lessons.jsonl").exists()


def test_a_log_of_live_triggers_is_judged_instead(tmp_path: Path) -> None:
    log = tmp_path / "examples.jsonl"
    said = lessons(1)
    log.write_bytes(msgspec.json.Encoder().encode_lines([Swept(partition=0, as_of=1), *said, said[0]]))
    output, report = backtest(tmp_path, "--policy-log", str(log))
    policies = msgspec.convert(report["policies"], dict)
    assert policies["is_from_log"] is True
    assert policies["campaigns"] == msgspec.to_builtins(judged(said))
    assert "Nobody answers" not in output


def test_a_log_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    log = tmp_path / "examples.jsonl"
    log.write_bytes(msgspec.json.encode(lessons(1)[0]) + b"\n{}\n")
    arguments = ["backtest", str(history(tmp_path)), "--out", str(tmp_path / "out"), "--policy-log", str(log)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code != 0
    assert "line 2 is no record of churn-examples" in " ".join(result.output.split())


def test_where_no_campaign_learns_there_is_nothing_to_judge(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["backtest", str(history(tmp_path)), "--out", str(tmp_path / "out"), "--policy"])
    assert " ".join(policy_wording.NOTHING.split()) in " ".join(result.output.split())
