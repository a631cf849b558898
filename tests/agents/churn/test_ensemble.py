from functools import cache

import msgspec
import numpy as np
import pytest

from agents.churn.catalogue import FEATURES
from agents.churn.ensemble import CALIBRATED, MIX, Ensemble
from agents.churn.horizon import horizon
from agents.churn.models.numbers import Vector, log_loss, log_odds
from agents.churn.prequential import Instant, Prequential
from schemas.times import DAY_MS, Millis
from tests.agents.churn.populations import HORIZON, Snapshot, snapshots

Said = list[dict[str, Vector]]


def play(some: list[Snapshot], ensemble: Ensemble) -> Said:
    def labels(who: Snapshot, as_of: Millis, span_ms: Millis) -> Vector:
        assert as_of == who.as_of
        return who.inactive(span_ms / DAY_MS)

    trial = Prequential(ensemble, labels)
    return [trial.turn(Instant(each.as_of, each, each.x)) for each in some]


@cache
def played() -> tuple[Ensemble, Said]:
    ensemble = Ensemble(HORIZON)
    return ensemble, play(snapshots(), ensemble)


def test_what_comes_later_changes_nothing_that_was_said() -> None:
    whole = played()[1]
    for stop in (3, 7):
        for one, other in zip(play(snapshots()[:stop], Ensemble(HORIZON)), whole, strict=False):
            assert {name: p.tobytes() for name, p in one.items()} == {name: p.tobytes() for name, p in other.items()}


def test_a_label_is_used_when_its_time_has_passed_and_not_before() -> None:
    """as_of 0 matures at instant 4: until then, nobody's labels of 60 days make a difference."""
    asked: list[tuple[Millis, Millis]] = []
    now = 0

    def labels(who: Snapshot, as_of: Millis, span_ms: Millis) -> Vector:
        asked.append((as_of + span_ms, now))
        return who.inactive(span_ms / DAY_MS)

    trial = Prequential(Ensemble(HORIZON), labels)
    for each in snapshots()[:7]:
        now = each.as_of
        trial.turn(Instant(each.as_of, each, each.x))
    assert all(matured <= then for matured, then in asked)
    assert len(asked) == 6 + 3


def test_every_candidate_scores_everyone_from_the_first_instant_on() -> None:
    ensemble, said = played()
    for snapshot, found in zip(snapshots(), said, strict=True):
        assert tuple(sorted(found)) == tuple(sorted(ensemble.names))
        assert all(np.isfinite(p).all() and len(p) == len(snapshot.x) for p in found.values())


def test_the_same_history_gives_the_same_bits() -> None:
    again = Ensemble(HORIZON)
    play(snapshots(), again)
    assert again.snapshot() == played()[0].snapshot()


@pytest.mark.parametrize(("mix", "linear", "champion"), [(1_000, 985, MIX), (1_000, 950, "linear"), (90, 70, MIX)])
def test_the_least_decayed_loss_is_champion_if_it_beats_the_mix_clearly(mix: int, linear: int, champion: str) -> None:
    ensemble = Ensemble(HORIZON)
    assert ensemble.champion == MIX
    for name in ensemble.names:
        ensemble.losses_of(name).total = 995.0
    ensemble.losses_of(MIX).total, ensemble.losses_of("linear").total = mix, linear
    assert ensemble.champion == champion


def test_losses_are_those_of_what_was_said_decayed_by_instant() -> None:
    ensemble, said = played()
    total = examples = 0.0
    for snapshot, found in list(zip(snapshots(), said, strict=True))[:8]:
        total = total * 0.9 + float(log_loss(found["recency"], snapshot.inactive(60)).sum())
        examples = examples * 0.9 + len(snapshot.x)
    assert ensemble.losses["recency"] == pytest.approx(total / examples)
    assert ensemble.examples == pytest.approx(examples)


def test_the_base_loss_is_that_of_the_share_that_stayed_away_decayed_by_instant() -> None:
    ensemble = played()[0]
    away = examples = 0.0
    for snapshot in snapshots()[:8]:
        away = away * 0.9 + float(snapshot.inactive(60).sum())
        examples = examples * 0.9 + len(snapshot.x)
    said, came_true = np.array([away / examples] * 2), np.array([1.0, 0.0])
    stayed, came = log_loss(said, came_true).tolist()
    expected = said[0] * stayed + (1 - said[0]) * came
    assert ensemble.base_loss == pytest.approx(expected)
    assert Ensemble(HORIZON).base_loss is None


def test_a_snapshot_that_knows_no_base_loss_is_read_and_learns_it_from_then_on() -> None:
    older = msgspec.msgpack.encode(msgspec.msgpack.decode(played()[0].snapshot())[:-1])
    ensemble = Ensemble(HORIZON)
    ensemble.restore(older)
    unknown = ensemble.base_loss
    assert unknown is None
    assert ensemble.losses == played()[0].losses
    some = snapshots()[-1]
    ensemble.learn(some.x, some.inactive(60), played()[1][-1], some.as_of)
    assert (ensemble.base_loss or 0) > 0


def test_where_everybody_came_back_the_base_loses_nothing() -> None:
    ensemble, some = Ensemble(HORIZON), snapshots()[0]
    said = {name: np.full(len(some.x), 0.5) for name in ensemble.names}
    ensemble.learn(some.x, np.zeros(len(some.x)), said, some.as_of)
    assert ensemble.base_loss == 0


def test_what_is_restored_scores_and_goes_on_as_before() -> None:
    ensemble, again = Ensemble(HORIZON), Ensemble(HORIZON)
    some, said = snapshots(), play(snapshots()[:9], ensemble)
    again.restore(ensemble.snapshot())
    for each in (ensemble, again):
        each.learn_steps(some[8].x, some[8].inactive(15), some[8].as_of)
        each.learn(some[5].x, some[5].inactive(60), said[5], some[5].as_of)
        each.refit(some[9].x, some[9].as_of)
    assert again.snapshot() == ensemble.snapshot()
    one, other = (each.predict(some[9].x) for each in (ensemble, again))
    assert one.p_inactive.tobytes() == other.p_inactive.tobytes()
    assert one[1:] == other[1:]


def test_a_scorer_needs_no_examples_to_say_and_explain_the_same() -> None:
    ensemble, scorer = played()[0], Ensemble(HORIZON)
    scorer.restore(ensemble.snapshot(whole=False))
    x = snapshots()[-1].x
    assert scorer.predict(x).p_inactive.tobytes() == ensemble.predict(x).p_inactive.tobytes()
    assert scorer.reasons(x[0]) == ensemble.reasons(x[0])
    assert len(ensemble.snapshot(whole=False)) < 700_000


def test_what_is_no_snapshot_is_refused() -> None:
    for damaged in (b"", b"\xc1", msgspec.msgpack.encode([1, 2, 3])):
        with pytest.raises(msgspec.MsgspecError):
            Ensemble(HORIZON).restore(damaged)


def test_a_score_names_its_model_and_the_instant_of_its_version() -> None:
    ensemble, said = played()
    found = ensemble.predict(snapshots()[-1].x)
    assert found.model == ensemble.champion
    assert found.version == "2024-06-16T00:00:00Z"
    assert found.p_inactive.tobytes() == said[-1][found.model].tobytes()


def test_the_calibrated_mix_is_one_of_the_candidates() -> None:
    _, said = played()
    assert said[0][CALIBRATED] == pytest.approx(said[0][MIX])
    assert (said[-1][CALIBRATED] != said[-1][MIX]).any()


def test_reasons_add_up_to_the_distance_from_the_average_user() -> None:
    ensemble = played()[0]
    x = snapshots()[-1].x
    score, average = (log_odds(ensemble.predict(row[None]).p_inactive)[0] for row in (x[3], x.mean(axis=0)))
    found = ensemble.reasons(x[3])
    assert sum(each.contribution for each in found) == pytest.approx(score - average)
    assert [abs(each.contribution) for each in found] == sorted(
        (abs(each.contribution) for each in found), reverse=True
    )


def test_who_was_away_longest_has_that_as_a_reason_to_stay_away() -> None:
    x = snapshots()[-1].x
    found = played()[0].reasons(x[np.argmax(x[:, 3])])
    assert {each.topic: each.contribution for each in found}["time since the last activity"] > 0


def test_a_horizon_of_one_step_has_no_experts_of_steps() -> None:
    ensemble = Ensemble(horizon(60 * DAY_MS, 60 * DAY_MS))
    assert "linear_steps" not in ensemble.names
    assert len(ensemble.candidates(np.zeros((2, len(FEATURES))))[MIX]) == 2
