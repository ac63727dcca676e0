"""The arguments of a job as its signature tells them: described, and read from texts."""

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

Kind = Literal["yes_no", "whole", "decimal", "text", "choice", "day", "moment", "json"]


@dataclass(frozen=True)
class Argument:
    """One argument: what kind of value it takes, and what holds when it is not given."""

    name: str
    title: Any
    kind: Kind
    required: bool
    #: As a JSON value; None where it is required, too.
    default: Any
    #: May be left out or empty: nothing, rather than a value.
    optional: bool
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Fault:
    """What is wrong with an argument: pydantic's word for it, its figures and its sentence."""

    type: str
    context: Mapping[str, Any]
    text: str


def describe(model: type[BaseModel], titles: Mapping[str, Any]) -> list[Argument]:
    """The arguments of the model that was made of a job's signature, in their order."""
    return [_argument(name, field, titles) for name, field in model.model_fields.items()]


def _argument(name: str, field: FieldInfo, titles: Mapping[str, Any]) -> Argument:
    kinds = _plain_types(field.annotation)
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return Argument(
        name=name,
        title=titles.get(name) or name.replace("_", " ").capitalize(),
        kind=_kind(kinds),
        required=field.is_required(),
        default=TypeAdapter(Any).dump_python(default, mode="json"),
        optional=type(None) in _options(field.annotation),
        choices=_choices(kinds),
    )


def _options(annotation: Any) -> tuple[Any, ...]:
    """The types that a union offers; any other is its only one."""
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _plain_types(annotation: Any) -> list[Any]:
    """The types of its values, without None and what Annotated adds."""
    found = [one for one in _options(annotation) if one is not type(None)]
    return [
        getattr(one, "__origin__", one) if hasattr(one, "__metadata__") else one for one in found
    ]


_KINDS: dict[Any, Kind] = {
    bool: "yes_no", int: "whole", float: "decimal", str: "text", date: "day", datetime: "moment",
}  # fmt: skip


def _kind(kinds: list[Any]) -> Kind:
    if len(kinds) != 1:
        return "decimal" if set(kinds) == {int, float} else "json"
    if _choices(kinds):
        return "choice"
    return _KINDS.get(kinds[0], "json")


def _choices(kinds: list[Any]) -> tuple[Any, ...]:
    if len(kinds) == 1 and get_origin(kinds[0]) is Literal:
        return get_args(kinds[0])
    if len(kinds) == 1 and isinstance(kinds[0], type) and issubclass(kinds[0], Enum):
        return tuple(one.value for one in kinds[0])
    return ()


def read_text(field: FieldInfo, text: str) -> Any:
    """The JSON value that a text means for this field.

    Raises:
        ValueError: it means none (pydantic's own error where that knows more).
    """
    annotation: Any = field.annotation
    if _is_json(field):
        # By pydantic's parser, which the whole is checked with: Python's takes half a surrogate.
        value = TypeAdapter(Any).validate_json(text)
    else:
        read = TypeAdapter(annotation)
        value = read.dump_python(read.validate_python(text), mode="json")
    json.dumps(value, allow_nan=False)
    return value


def _is_json(field: FieldInfo) -> bool:
    return _kind(_plain_types(field.annotation)) == "json"


def validated(model: type[BaseModel], arguments: Mapping[str, Any]) -> BaseModel:
    """The arguments, which are JSON values, as what they mean: a day's text becomes a `date`.

    Raises:
        ValueError: they do not fit the signature, or one is no JSON value.
        TypeError: one is no JSON value.
    """
    text = json.dumps(arguments, allow_nan=False)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        if error.errors()[0]["type"] != "json_invalid":
            raise
        # Python's JSON takes half a surrogate, pydantic's does not.
        return model.model_validate(arguments)


def read_texts(
    model: type[BaseModel], texts: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Fault]]:
    """The values that the texts mean, and what is wrong by argument; all of it at once."""
    values, faults = {}, {}
    for name, text in texts.items():
        try:
            values[name] = read_text(model.model_fields[name], text)
        except ValidationError as error:
            faults[name] = _fault(error.errors()[0])
        except (ValueError, RecursionError) as error:
            word = "json_invalid" if _is_json(model.model_fields[name]) else "finite_number"
            faults[name] = Fault(word, {}, str(error))
    try:
        # As an argument is checked when a run is asked for.
        model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        for one in error.errors():
            faults.setdefault(str(one["loc"][0]), _fault(one))
    return values, faults


def _fault(error: Any) -> Fault:
    return Fault(error["type"], error.get("ctx", {}), error["msg"])
