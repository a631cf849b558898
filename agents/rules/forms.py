"""The five forms of a rule, each turned into one function of the view and the current value."""

import ast
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from msgspec import UNSET

from agents.rules import expression
from agents.rules.band_faults import faults_of
from agents.rules.bands import Bands
from agents.rules.code import UNKNOWN, Code
from agents.rules.functions import helper
from agents.rules.inputs import Input
from agents.rules.mistake import ExpressionError, KeyPath, Mistake
from agents.rules.preference import MIN_ACTIONS, MIN_SHARE, Preference
from agents.rules.rule import Evaluate, Rule
from agents.rules.scope import Scope
from schemas.rules import TagRule
from schemas.times import parse_span

FORMS: Final = ("when", "value", "values", "score", "prefer")
_BELONGS: Final = {
    "bands": ("score",),
    "hysteresis": ("score", "prefer"),
    "min_actions": ("prefer",),
    "min_share": ("prefer",),
    "min_lift": ("prefer",),
}
"""Keys that mean something in some forms only."""
_PARAMETERS: Final = ("v", "current")


class Maker:
    """Compiles one rule, and gathers what is wrong with it."""

    def __init__(self, rule: TagRule, path: KeyPath, scope: Scope) -> None:
        self.rule, self.path, self.scope = rule, path, scope
        self.mistakes: list[Mistake] = []
        self._reads = Input(0)
        self._tags: set[str] = set()
        self._more: dict[str, Any] = {}

    def make(self) -> Rule | None:
        """The rule, or None if an expression is wrong. It is not to be used where there are mistakes."""
        rule = self.rule
        body = self._body()
        if self._has("priority") and not self._has("group"):
            self._wrong("priority", "`priority` means nothing without `group`", at_key=True)
        if body is None:
            return None
        return Rule(
            rule.name,
            rule.version,
            rule.doc,
            rule.kind,
            self._reads | (Input(0) if rule.ttl is UNSET else Input.TIME),
            frozenset(self._tags),
            self._function(body),
            parse_span(rule.ttl) if rule.ttl is not UNSET else None,
            rule.group if rule.group is not UNSET else None,
            rule.priority if rule.priority is not UNSET else 0,
            rule.daily if rule.daily is not UNSET else self._has("prefer"),
            self._has("hysteresis") or self._has("prefer"),
        )

    def _function(self, body: ast.expr) -> Evaluate:
        return expression.function(body, self.rule.name, self.scope, _PARAMETERS, **self._more)

    def _body(self) -> ast.expr | None:
        """The whole rule as one piece of Python."""
        found = [form for form in FORMS if self._has(form)]
        self._check_keys(found)
        bodies = [made for form in found if (made := getattr(self, f"_{form}")()) is not None]
        only = self._code("only", expression.condition) if self._has("only") else None
        if not bodies:
            return None
        return bodies[0] if only is None else ast.IfExp(only.node, bodies[0], UNKNOWN)

    def _check_keys(self, found: list[str]) -> None:
        if not found:
            self.mistakes.append(Mistake(self.path, f"a tag needs one of {', '.join(FORMS)}", at_key=True))
        for first, second in pairwise(found):
            self._wrong(second, f"`{first}` and `{second}` exclude each other: a tag has one form", at_key=True)
        for key, forms in _BELONGS.items():
            if self._has(key) and not set(forms) & set(found):
                needed = " or ".join(f"`{form}`" for form in forms)
                self._wrong(key, f"`{key}` means nothing without {needed}", at_key=True)

    def _has(self, key: str) -> bool:
        return getattr(self.rule, key) is not UNSET

    def _wrong(self, key: str, text: str, *more: str | int, at_key: bool = False) -> None:
        self.mistakes.append(Mistake((*self.path, key, *more), text, at_key=at_key))

    def _code(
        self,
        key: str,
        understand: Callable[[str, Scope], expression.Expression],
        *more: str | int,
        text: str | None = None,
    ) -> Code | None:
        """The code of an expression; what it reads is noted."""
        try:
            found = understand(getattr(self.rule, key) if text is None else text, self.scope)
        except ExpressionError as error:
            self.mistakes.append(Mistake((*self.path, key, *more), error.text, error.near, error.column))
            return None
        self._reads |= found.reads
        self._tags |= found.tags
        return found.code

    @property
    def _otherwise(self) -> Any:
        return None if self.rule.else_ is UNSET else self.rule.else_

    def _when(self) -> ast.expr | None:
        held = self._code("when", expression.condition)
        return held and ast.IfExp(held.node, ast.Constant(True), ast.Constant(self._otherwise))

    def _value(self) -> ast.expr | None:
        found = self._code("value", expression.value)
        if found is None or not found.nullable or self._otherwise is None:
            return found and found.node
        keep = ast.NamedExpr(ast.Name("found", ast.Store()), found.node)
        is_known = ast.Compare(keep, [ast.IsNot()], [UNKNOWN])
        return ast.IfExp(is_known, ast.Name("found", ast.Load()), ast.Constant(self._otherwise))

    def _values(self) -> ast.expr | None:
        choices = self.rule.values or []
        codes = [
            self._code("values", expression.condition, place, "when", text=choice.when)
            for place, choice in enumerate(choices)
        ]
        body: ast.expr = ast.Constant(self._otherwise)
        for choice, code in reversed(list(zip(choices, codes, strict=True))):
            if code is None:
                return None
            body = ast.IfExp(code.node, ast.Constant(choice.value), body)
        return body

    def _score(self) -> ast.expr | None:
        score = self._code("score", expression.number)
        if not self._has("bands"):
            self._wrong("score", "`score` needs `bands`", at_key=True)
            return None
        bands = self.rule.bands or []
        faults = list(faults_of(bands, self.rule.hysteresis or 0.0))
        for fault in faults:
            self._wrong(fault.key, fault.text, *fault.more, at_key=fault.at_key)
        if score is None or faults:
            return None
        edges = tuple(band.below for band in bands if band.below is not UNSET)
        values = tuple(self._otherwise if band.value is UNSET else band.value for band in bands)
        made = Bands(values, edges, self.rule.hysteresis or 0.0, self._otherwise)
        self._more["bands"] = made.of
        return helper("bands", score.node, ast.Name("current", ast.Load()))

    def _prefer(self) -> ast.expr | None:
        rule = self.rule
        if rule.prefer is UNSET:
            return None
        share = rule.min_share if rule.min_share is not UNSET else MIN_SHARE
        hysteresis = rule.hysteresis or 0.0
        if hysteresis >= share and self._has("hysteresis"):
            self._wrong("hysteresis", f"`hysteresis` must be less than `min_share`, which is {share:g}")
        self._reads |= Input.PREFERENCES | (Input.PROFILE if rule.prefer == "hour" else Input(0))
        prefer = Preference(
            rule.prefer,
            rule.min_actions if rule.min_actions is not UNSET else MIN_ACTIONS,
            share,
            rule.min_lift if rule.min_lift is not UNSET else 0.0,
            hysteresis,
            self.scope.population.get(rule.prefer, {}),
            self._otherwise,
        )
        self._more["prefer"] = prefer.of
        return helper("prefer", *(ast.Name(each, ast.Load()) for each in _PARAMETERS))
