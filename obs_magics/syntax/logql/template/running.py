"""A template's tree turned into Python functions, once; then called for each line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from obs_magics.syntax.logql.template.calls import wrong_count, wrong_type
from obs_magics.syntax.logql.template.functions import FUNCTIONS, SHORT_CIRCUIT, Line
from obs_magics.syntax.logql.template.nodes import (
    Action,
    Argument,
    Branch,
    Command,
    Field,
    Leave,
    Literal,
    Nested,
    Node,
    Pipeline,
    Text,
    Variable,
)
from obs_magics.syntax.logql.template.nodes import Function as Name
from obs_magics.syntax.logql.template.texts import LONGEST
from obs_magics.syntax.logql.template.values import TemplateError, is_true, printed, type_name

MAX_STEPS = 200_000
_NOTHING = object()


class Run:
    """One filling-in: the dot, the variables, and what was written so far."""

    __slots__ = ("dot", "left", "line", "out", "size", "slots", "steps")

    def __init__(self, labels: Mapping[str, str], line: Line, slots: int) -> None:
        self.dot: Any = labels
        self.line = line
        self.slots: list[Any] = [labels, *[None] * (slots - 1)]
        self.out: list[str] = []
        self.size = 0
        self.steps = 0
        self.left = ""  # `break` or `continue`, until the loop has seen it

    def write(self, text: str) -> None:
        """Adds to the result."""
        self.size += len(text)
        if self.size > LONGEST:
            raise TemplateError(f"the result is longer than {LONGEST:,} characters")
        self.out.append(text)


Do: TypeAlias = Callable[[Run], None]
Get: TypeAlias = Callable[[Run], Any]
Piped: TypeAlias = Callable[[Run, Any], Any]


class Compiler:
    """Turns the nodes of one template into functions.

    Args:
        text: The template, for what errors show of it.
        name: What Loki calls it, ``line`` or ``label``.
    """

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name

    def body(self, nodes: Sequence[Node]) -> Do:
        """Nodes one after the other, until one leaves the loop around them."""
        steps = [self._node(node) for node in nodes]

        def run(state: Run) -> None:
            for step in steps:
                step(state)
                if state.left:
                    return

        return run

    def _node(self, node: Node) -> Do:
        if isinstance(node, Text):
            text = node.text
            return lambda state: state.write(text)
        if isinstance(node, Leave):
            kind = node.kind
            return lambda state: setattr(state, "left", kind)
        if isinstance(node, Action):
            return self._action(node)
        return {"if": self._if, "with": self._with, "range": self._range}[node.kind](node)

    def _action(self, node: Action) -> Do:
        value = self.pipeline(node.pipeline)
        if node.pipeline.slots:
            return lambda state: value(state) and None
        return lambda state: state.write(printed(value(state)))

    def _if(self, node: Branch) -> Do:
        value, then, otherwise = self.pipeline(node.pipeline), self.body(node.then), self.body(node.otherwise)
        return lambda state: then(state) if is_true(value(state)) else otherwise(state)

    def _with(self, node: Branch) -> Do:
        value, then, otherwise = self.pipeline(node.pipeline), self.body(node.then), self.body(node.otherwise)

        def run(state: Run) -> None:
            found = value(state)
            if not is_true(found):
                otherwise(state)
                return
            outer, state.dot = state.dot, found
            then(state)
            state.dot = outer

        return run

    def _range(self, node: Branch) -> Do:
        slots = node.pipeline.slots
        value = self.pipeline(Pipeline(node.pipeline.commands))
        then, otherwise = self.body(node.then), self.body(node.otherwise)
        fail = self._failure(node.pipeline.commands[0].arguments[0])

        def run(state: Run) -> None:
            pairs = _pairs(value(state), fail)
            outer, is_empty = state.dot, True
            for key, item in pairs:
                is_empty = False
                state.steps += 1
                if state.steps > MAX_STEPS:
                    raise fail(f"more than {MAX_STEPS:,} rounds")
                for slot, given in zip(slots, (key, item)[-len(slots) :], strict=False):
                    state.slots[slot] = given
                state.dot = item
                then(state)
                left, state.left = state.left, ""
                if left == "break":
                    break
            state.dot = outer
            if is_empty:
                otherwise(state)

        return run

    # Values

    def pipeline(self, pipeline: Pipeline) -> Get:
        """A pipeline's value; it is kept in its variables, when it has some."""
        first, *rest = [self._command(command) for command in pipeline.commands]
        slots = pipeline.slots

        def value(state: Run) -> Any:
            result = first(state, _NOTHING)
            for command in rest:
                result = command(state, result)
            for slot in slots:
                state.slots[slot] = result
            return result

        return value

    def _command(self, command: Command) -> Piped:
        first, *others = command.arguments
        if isinstance(first, Name):
            return self._call(first, others)
        value, fail = self._argument(first), self._failure(first)
        message = self._not_callable(first)

        def get(state: Run, given: Any) -> Any:
            if others or given is not _NOTHING:
                raise fail(message)
            return value(state)

        return get

    def _not_callable(self, first: Argument) -> str:
        if isinstance(first, Field | Variable | Nested) and first.names:
            return f"{first.names[-1]} is not a method but has arguments"
        return f"can't give argument to non-function {self._shown(first)}"

    def _argument(self, argument: Argument) -> Get:
        if isinstance(argument, Literal):
            constant = argument.value
            return lambda _state: constant
        if isinstance(argument, Name):
            called = self._call(argument, [])
            return lambda state: called(state, _NOTHING)
        if isinstance(argument, Field):
            base: Get = _dot
        elif isinstance(argument, Variable):
            slot = argument.slot
            base = lambda state: state.slots[slot]  # noqa: E731
        else:
            base = self.pipeline(argument.pipeline)
        return self._looked_up(base, argument) if argument.names else base

    def _looked_up(self, base: Get, argument: Field | Variable | Nested) -> Get:
        names, fail = argument.names, self._failure(argument)

        def value(state: Run) -> Any:
            found = base(state)
            for name in names:
                if not isinstance(found, Mapping):
                    raise fail(_no_field(found, name))
                missing = "" if found is state.slots[0] else None  # labels are texts; what JSON gives is anything
                found = found.get(name, missing)
            return found

        return value

    def _call(self, name: Name, others: Sequence[Argument]) -> Piped:
        function, arguments = FUNCTIONS[name.name], [self._argument(item) for item in others]
        fail = self._failure(name)
        if name.name in SHORT_CIRCUIT:
            return self._lazy(name, arguments)

        def call(state: Run, given: Any) -> Any:
            values = [argument(state) for argument in arguments]
            if given is not _NOTHING:
                values.append(given)
            problem = wrong_count(function, values, name.name) or wrong_type(function, values)
            if problem:
                raise fail(problem)
            try:
                return function.call(state.line, *values) if function.of_line else function.call(*values)
            except TemplateError as error:
                raise fail(f"error calling {name.name}: {error}") from None
            except (OverflowError, ValueError, ArithmeticError, RecursionError) as error:
                raise fail(f"error calling {name.name}: {error}") from None

        return call

    def _lazy(self, name: Name, arguments: Sequence[Get]) -> Piped:
        """`and` and `or`: what comes behind the deciding argument is not looked at."""
        stops_at, fail = name.name == "or", self._failure(name)

        def call(state: Run, given: Any) -> Any:
            value: Any = _NOTHING
            for argument in arguments:
                value = argument(state)
                if is_true(value) == stops_at:
                    return value
            if given is not _NOTHING:
                return given
            if value is _NOTHING:
                raise fail(f"wrong number of args for {name.name}: want at least 1 got 0")
            return value

        return call

    # Errors

    def _shown(self, argument: Argument) -> str:
        return self._text[argument.at : argument.end]

    def _failure(self, argument: Argument) -> Callable[[str], TemplateError]:
        """Errors at an argument, as Go says them: with line, column and the piece of the template."""

        def failure(message: str) -> TemplateError:
            before = self._text[: argument.at]
            line = before.count("\n") + 1
            column = len(before[before.rfind("\n") + 1 :].encode("utf-8", "surrogateescape"))
            shown = self._shown(argument)
            shown = f"{shown[:20]}..." if len(shown) > 20 else shown
            place = f'template: {self._name}:{line}:{column}: executing "{self._name}" at <{shown}>'
            return TemplateError(f"{place}: {message}")

        return failure


def _dot(state: Run) -> Any:
    return state.dot


def _no_field(value: Any, name: str) -> str:
    if value is None:
        return f"nil data; no entry for key {name}"
    return f"can't evaluate field {name} in type {type_name(value)}"


def _pairs(value: Any, fail: Callable[[str], TemplateError]) -> Iterator[tuple[Any, Any]]:
    """What `range` goes through: elements with their places, members by name, or numbers from 0."""
    if value is None:
        return iter(())
    if isinstance(value, list):
        return iter(enumerate(value))
    if isinstance(value, Mapping):
        return iter([(key, value[key]) for key in sorted(value)])
    if isinstance(value, int) and not isinstance(value, bool):
        return ((number, number) for number in range(value))
    raise fail(f"range can't iterate over {printed(value)}")
