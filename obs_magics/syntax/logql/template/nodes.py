"""A template as a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: string, number, truth value, or nil (None)."""

    value: Any
    at: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """``.a.b``: names looked up in the dot; no names for the dot itself."""

    names: tuple[str, ...]
    at: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Variable:
    """``$x.a``: the slot of a variable, and names looked up in it; slot 0 is ``$``, all labels."""

    slot: int
    names: tuple[str, ...] = ()
    at: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function."""

    name: str
    at: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Nested:
    """``(pipeline).a``."""

    pipeline: Pipeline
    names: tuple[str, ...] = ()
    at: int = 0
    end: int = 0


Argument: TypeAlias = Literal | Field | Variable | Function | Nested


@dataclass(frozen=True, slots=True)
class Command:
    """A value, or a function with its arguments."""

    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given the result of the one before; `slots` are the variables that take the result."""

    commands: tuple[Command, ...]
    slots: tuple[int, ...] = ()
    is_assignment: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """``{{ pipeline }}``."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``, ``with`` or ``range``: its pipeline, what is done with it, and what else."""

    kind: str
    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """``break`` or ``continue``."""

    kind: str


Node: TypeAlias = Text | Action | Branch | Leave
