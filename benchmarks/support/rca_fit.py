"""The constants of the engine's confidence, fitted to what it said and what was true, with their Brier score.

Every case is taken as it is and with signals left out, so that there is weak evidence and wrong answers to learn from.
The score is that under cross-validation: the cases of a set are judged by constants that were fitted to the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from obs_magics.analysis.root_cause import confidence

Array = np.ndarray[Any, Any]

STRENGTH = 1.0  # of the pull towards 0 (inverse: C), which keeps few wrong answers from being learnt by heart


def fitted(said: Sequence[Mapping[str, Mapping[str, Any]]], truth: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Constants and Brier scores.

    Args:
        said: Predictions of several methods, with `best` and `second`.
        truth: Labels by case.
    """
    rows = [
        (
            label["set"],
            confidence.features(one["best"], one["second"])[1:],
            one["ranking"][0] == label["root_cause_service"],
        )
        for by_case in said
        for name, label in truth.items()
        if (one := by_case.get(name, {})).get("best")
    ]
    sets = np.array([row[0] for row in rows])
    features = np.array([row[1] for row in rows])
    right = np.array([row[2] for row in rows], dtype=int)
    held_out = np.empty(len(rows))
    for name in np.unique(sets):
        out = sets == name
        held_out[out] = _fit(features[~out], right[~out]).predict_proba(features[out])[:, 1]
    model = _fit(features, right)
    return {
        "answers": len(rows),
        "right": float(right.mean()),
        "constants": [round(float(value), 3) for value in (model.intercept_[0], *model.coef_[0])],
        "brier": float(np.mean((model.predict_proba(features)[:, 1] - right) ** 2)),
        "brier, cross-validated": float(np.mean((held_out - right) ** 2)),
        "brier, base": float(np.mean((right.mean() - right) ** 2)),
    }


def _fit(features: Array, right: Array) -> LogisticRegression:
    return LogisticRegression(C=STRENGTH).fit(features, right)
