"""What is wrong with a configuration, said for people: place, key, value, way out. Secrets are never repeated."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from obs_magics.config.files import Document, Keys, kind_of
from obs_magics.model.errors import ConfigError, did_you_mean

MASK = "********"
_QUOTES = "put it in quotes, so that it stays as it is written"

# Pydantic's error types in our words; what is not here keeps pydantic's own.
_TEXTS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not a key that is known here",
    "string_type": "must be text",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "model_type": "must be a mapping (keys with values)",
    "dict_type": "must be a mapping (keys with values)",
    "mapping_type": "must be a mapping (keys with values)",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: at which keys, what, and the way out."""

    keys: Keys
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{dotted(self.keys)}: {self.text}" if self.keys else self.text


def dotted(keys: Keys) -> str:
    """Keys as people write them: ``anomaly_detection.metrics[0].name``."""
    return re.sub(r"\.\[", "[", ".".join(f"[{key}]" if isinstance(key, int) else key for key in keys))


def config_error(problems: Sequence[Problem], document: Document) -> ConfigError:
    """One error for all problems, in the order of the file."""
    placed = [(document.place(problem.keys), problem) for problem in problems]
    placed.sort(key=lambda pair: (pair[0] is None or pair[0].line is None, pair[0].line or 0 if pair[0] else 0))
    if len(placed) == 1:
        place, problem = placed[0]
        return ConfigError(str(problem), where=str(place or ""), hint=problem.hint)
    lines = [f"{len(placed)} problems in the configuration"]
    for place, problem in placed:
        hint = f" ({problem.hint})" if problem.hint else ""
        lines.append(f"  {place}: {problem}{hint}" if place else f"  {problem}{hint}")
    return ConfigError("\n".join(lines))


def problems_of(error: ValidationError, model: type[BaseModel], prefix: Keys = ()) -> list[Problem]:
    """What pydantic found, in our words; `prefix` are the keys above the model."""
    return [_problem(details, model, prefix) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, model: type[BaseModel], prefix: Keys) -> Problem:
    keys: Keys = tuple(key for key in details["loc"] if key != "[key]")
    owner, annotation = _field_at(model, keys)
    kind, context, value = details["type"], _plain_numbers(details.get("ctx", {})), details["input"]
    if kind == "extra_forbidden":
        known = [field.alias or name for name, field in owner.model_fields.items()]
        hint = did_you_mean(str(keys[-1]), known) or f"known are {', '.join(known)}"
        return Problem((*prefix, *keys), _TEXTS[kind], hint)
    text = str(context["error"]) if kind == "value_error" else _TEXTS.get(kind, details["msg"])
    text = text.format_map(context).replace("'", "") if kind in _TEXTS else text
    shown = "" if kind == "missing" or "[key]" in details["loc"] else _shown(value, annotation)
    return Problem((*prefix, *keys), f"{text}{f', not {shown}' if shown else ''}", _way_out(kind, value, context))


def _plain_numbers(context: Mapping[str, Any]) -> dict[str, Any]:
    """Bounds as people write them: 0 instead of 0.0."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in context.items()
    }


def _way_out(kind: str, value: Any, context: Mapping[str, Any]) -> str:
    if kind == "string_type" and not isinstance(value, dict | list | None):
        return _QUOTES
    if kind == "literal_error":
        return did_you_mean(str(value), re.findall(r"'(.*?)'", context["expected"]))
    return str(context.get("hint", ""))


def _shown(value: Any, annotation: Any) -> str:
    """A bad value as it may stand in a message: secrets masked, structures only named."""
    if value is None or annotation is None or (isinstance(value, dict) and _holds_model(annotation)):
        return ""
    if any(part is SecretStr for part in _parts(annotation, deep=True)):
        return MASK
    if isinstance(value, dict | list | tuple):
        return kind_of(value)
    text = str(value)
    if "://" in text and ("@" in text or "?" in text or "#" in text or "hook" in text):
        return repr(f"{text.partition('://')[0]}://…")
    return repr(text[:60]) if isinstance(value, str) else text[:60]


def _field_at(model: type[BaseModel], keys: Keys) -> tuple[type[BaseModel], Any]:
    """The model that holds the last key, and what the nearest field on the way promises."""
    annotation: Any = None
    for number, key in enumerate(keys):
        field = _field(model, key) if isinstance(key, str) else None
        if field is None:
            continue  # an index, a key of a mapping, or an unknown key
        annotation = field.annotation
        below = next((part for part in _parts(annotation) if _is_model(part)), None)
        if below is not None and number < len(keys) - 1:
            model = below
    return model, annotation


def _field(model: type[BaseModel], key: str) -> FieldInfo | None:
    """The field of a key: of its own name, or of the alias under which it stands in the file."""
    fields = model.model_fields
    return fields.get(key) or next((field for field in fields.values() if field.alias == key), None)


def _holds_model(annotation: Any) -> bool:
    return any(_is_model(part) for part in _parts(annotation))


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _parts(annotation: Any, *, deep: bool = False) -> Iterator[Any]:
    """The types that an annotation is made of; `deep` goes into the fields of models too."""
    yield annotation
    inside: Callable[[Any], Sequence[Any]] = typing.get_args
    for part in inside(annotation):
        yield from _parts(part, deep=deep)
    if deep and _is_model(annotation):
        for field in annotation.model_fields.values():
            yield from _parts(field.annotation, deep=True)
