"""What a backtest found about who is about to leave, as it stands in report.json; numbers are rounded to six digits.

Each score is the chance that a user stays away: no activity within the horizon after the instant of the score.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from app.report_types import Count, Positive, Share, Span
from schemas.times import Millis

CHAMPION: Final = "champion"
"""The name of whichever model was believed."""


class Scores(Struct, kw_only=True, frozen=True):
    """How good scores were; null where there is nothing to tell, AUC also where all users did the same."""

    labelled: Annotated[Count, Meta(description="scores of which it is known what came true")]
    auc: Annotated[
        Share | None, Meta(description="chance that who stays away is scored above who comes back; 0.5 is a guess")
    ]
    log_loss: Annotated[Positive | None, Meta(description="mean of -ln of the chance given to what came true")]
    brier: Annotated[Share | None, Meta(description="mean squared distance of score and truth")]
    calibration_error: Annotated[
        Share | None, Meta(description="mean distance of score and share, in 20 bins of as many examples each")
    ]


class CalibrationBin(Struct, kw_only=True, frozen=True):
    """Labelled scores of like height."""

    p_inactive: Annotated[Share, Meta(description="the mean score")]
    share_inactive: Annotated[Share, Meta(description="how many of them stayed away")]
    labelled: Count


class Gain(Struct, kw_only=True, frozen=True):
    """Who is found when, at each instant, this share of the users is taken: those with the highest scores."""

    share: Share
    found: Annotated[Share | None, Meta(description="of all who stayed away")]
    best: Annotated[Share | None, Meta(description="what a model without any error would find")]
    lift: Annotated[Positive | None, Meta(description="times better than taking as many by chance")]


class Model(Struct, kw_only=True, frozen=True):
    """One model, judged by what it had said before it knew."""

    name: str
    scores: Annotated[Scores, Meta(description="at all instants")]
    scores_informed: Annotated[
        Scores, Meta(description="at those instants by which the first labels of the horizon were known")
    ]
    calibration: Annotated[list[CalibrationBin], Meta(description="lowest scores first")]
    gains: list[Gain]
    auc: Annotated[list[Share | None], Meta(description="at each instant")]
    log_loss: Annotated[list[Positive | None], Meta(description="at each instant")]


class Instant(Struct, kw_only=True, frozen=True):
    """An instant at which everyone known was scored."""

    as_of: Annotated[Millis, Meta(description="ms since 1970")]
    users: Count
    labelled: Annotated[Count, Meta(description="users of whom it is known what came true")]
    share_inactive: Annotated[Share | None, Meta(description="how many of the labelled stayed away")]
    p_inactive: Annotated[Share, Meta(description="the champion's mean score of all users")]
    champion: Annotated[str, Meta(description="the model that was believed then")]


class Effect(Struct, kw_only=True, frozen=True):
    """What a topic adds to or takes off the champion's score, at the newest instant, against the average user."""

    topic: str
    effect: Annotated[float, Meta(description="in log-odds, whichever way, on average over some 200 users", ge=0)]
    feature: Annotated[str | None, Meta(description="the feature of the topic with which the effect goes most closely")]
    correlation: Annotated[
        float | None, Meta(description="of that feature and the effect: above 0 where more of it raises the score")
    ]
    features: Annotated[list[str], Meta(description="all that the topic is made of")]


class Churn(Struct, kw_only=True, frozen=True):
    """What was predicted, and how much of it came true."""

    every: Annotated[Span, Meta(description="users are scored at multiples of it since 1970")]
    horizon: Annotated[Span, Meta(description="so far ahead each score looks")]
    predictions: Annotated[Count, Meta(description="scores of a user at an instant")]
    share_inactive: Annotated[Share | None, Meta(description="how many of the labelled stayed away")]
    champion: Annotated[Model, Meta(description="whichever model was believed, instant by instant")]
    models: Annotated[list[Model], Meta(description="all candidates, that with the least log loss first")]
    instants: list[Instant]
    effects: Annotated[list[Effect], Meta(description="the strongest first")]
    drifts: Annotated[
        list[Millis], Meta(description="instants at which the champion's log loss had changed, ms since 1970")
    ]
    weights: Annotated[dict[str, float], Meta(description="what the mix believes of its models, at the end")]
