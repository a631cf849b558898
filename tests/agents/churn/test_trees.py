import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from agents.churn.models import boosting, forest


def examples(rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    x = random.normal(size=(rows, 9))
    return x, x[:, 0] * x[:, 1] + random.normal(size=rows) > 0


def test_exported_boosting_says_what_scikit_learn_says() -> None:
    x, y = examples(3_000)
    model = HistGradientBoostingClassifier(max_leaf_nodes=8, max_iter=40).fit(x, y)
    base, trees = boosting.exported(model)
    assert base + trees.total(x) == pytest.approx(model.decision_function(x), abs=1e-12)


def test_a_value_at_the_threshold_goes_where_scikit_learn_sends_it() -> None:
    x, y = examples(3_000)
    model = HistGradientBoostingClassifier(max_leaf_nodes=8, max_iter=10).fit(x, y)
    base, trees = boosting.exported(model)
    edges = np.repeat(trees.threshold.array()[:, None], 9, axis=1)
    assert base + trees.total(edges) == pytest.approx(model.decision_function(edges), abs=1e-12)


def test_an_exported_forest_says_what_river_says() -> None:
    x, y = examples(300)
    grown = forest._planted()  # noqa: SLF001  the forest before it is exported
    x = x.astype(np.float32).astype(np.float64)
    for row, label in zip(x.tolist(), y.tolist(), strict=True):
        grown.learn_one(dict(enumerate(row)), label)
    expected = [grown.predict_proba_one(dict(enumerate(row)))[True] for row in x.tolist()]
    assert forest.exported(grown).total(x) / forest.TREES == pytest.approx(expected, abs=1e-12)
