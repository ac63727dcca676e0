"""The catalogue: every job of the unit, as its `@job` decorator describes it."""

import difflib
import importlib
import inspect
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from k9ops.core.errors import BadInput
from k9ops.core.i18n import LazyString
from k9ops.jobs.arguments import Argument, Fault, describe, read_text, read_texts, validated
from k9ops.jobs.errors import UnknownJob
from k9ops.jobs.retries import Retry
from k9ops.jobs.states import Misfire, Overlap
from k9ops.jobs.triggers import Trigger

if TYPE_CHECKING:
    from config import Settings

P = ParamSpec("P")
R = TypeVar("R")
TriggerSource = Trigger | Callable[["Settings"], Trigger | None] | None
Isolation = Literal["thread", "process"]

_NAME = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
_catalogue: dict[str, "Job[..., Any]"] = {}
#: Titles of what stands in the ledger like a job, though none can be started.
_other_titles: dict[str, Any] = {}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What the decorator says of a job; the names are those of the public interface."""

    title: str | LazyString
    queue: str = "k9_tasks"
    #: 0 to 9; 9 is taken first.
    priority: int = 5
    trigger: TriggerSource = None
    timeout_seconds: float = 1800
    soft_timeout_seconds: float = 1500
    retry: Retry = field(default_factory=Retry)
    misfire: Misfire = Misfire.LATEST
    overlap: Overlap = Overlap.ALLOW
    isolation: Isolation = "thread"
    atomic: bool = False
    #: Titles of arguments for people, by their names.
    arguments: Mapping[str, str | LazyString] = field(default_factory=dict)


class Job(Generic[P, R]):
    """A job: callable like the function it wraps, and known by name to the engine."""

    def __init__(self, name: str, function: Callable[P, R], options: Options) -> None:
        self.name = name
        self.function = function
        self.options = options
        self.arguments_model = _arguments_model(name, function)
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "options":
            raise AttributeError(name)
        return getattr(self.options, name)

    @property
    def description(self) -> str:
        return inspect.getdoc(self.function) or ""

    def trigger_for(self, settings: "Settings") -> Trigger | None:
        """The job's own trigger under these settings."""
        trigger = self.options.trigger
        return trigger(settings) if callable(trigger) else trigger

    def check_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments as JSON values, exactly those given.

        Raises:
            BadInput: one is unknown, missing, of a wrong type, or no JSON value.
        """
        try:
            model = validated(self.arguments_model, arguments)
        except (TypeError, ValueError) as error:
            raise _bad_argument(self, error) from None
        return model.model_dump(mode="json", exclude_unset=True)

    def call(self, arguments: dict[str, Any]) -> R:
        """Call the function with what these JSON values mean by its annotations."""
        if not arguments:
            return self.function()  # type: ignore[call-arg]
        model = validated(self.arguments_model, arguments)
        given = {name: getattr(model, name) for name in arguments}
        return self.function(**given)  # type: ignore[call-arg]

    def describe_arguments(self) -> list[Argument]:
        """The arguments in their order, for a form."""
        return describe(self.arguments_model, self.options.arguments)

    def read_arguments(self, texts: dict[str, str]) -> tuple[dict[str, Any], dict[str, Fault]]:
        """The JSON values that a form's texts mean, and what is wrong with each that is."""
        return read_texts(self.arguments_model, texts)

    def parse_arguments(self, texts: dict[str, str]) -> dict[str, Any]:
        """Read the texts of a command line by each parameter's annotation."""
        fields = self.arguments_model.model_fields
        return {
            name: _parse(self, name, text) if name in fields else text
            for name, text in texts.items()
        }


def job(
    name: str,
    *,
    title: str | LazyString,
    queue: str = "k9_tasks",
    priority: int = 5,
    trigger: TriggerSource = None,
    timeout_seconds: float = 1800,
    soft_timeout_seconds: float = 1500,
    retry: Retry = Retry(),  # noqa: B008  (frozen)
    misfire: str = Misfire.LATEST,
    overlap: str = Overlap.ALLOW,
    isolation: Isolation = "thread",
    atomic: bool = False,
    arguments: Mapping[str, str | LazyString] | None = None,
) -> Callable[[Callable[P, R]], Job[P, R]]:
    """Make a function a job. Its arguments and its result are JSON values.

    `trigger` may be a function of the settings that returns a trigger, or None for "not by
    itself". A job may be executed again at any time: what it does must be safe to repeat.
    `arguments`: titles of its arguments for people.

    Raises:
        ValueError: an option is wrong; at import, so that no process starts with it.
    """
    options = Options(
        title=title,
        queue=queue,
        priority=priority,
        trigger=trigger,
        timeout_seconds=timeout_seconds,
        soft_timeout_seconds=min(soft_timeout_seconds, timeout_seconds),
        retry=retry,
        misfire=Misfire(misfire),
        overlap=Overlap(overlap),
        isolation=isolation,
        atomic=atomic,
        arguments=arguments or {},
    )

    def register(function: Callable[P, R]) -> Job[P, R]:
        _check(name, function, options)
        made = Job(name, function, options)
        _catalogue[name] = made
        return made

    return register


def catalogue() -> dict[str, Job[..., Any]]:
    """All jobs by name, in alphabetical order."""
    return dict(sorted(_catalogue.items()))


def register_title(name: str, title: Any) -> None:
    """Give what stands in the ledger like a job a title; no job of that name can be started."""
    _other_titles[name] = title


def title_of(name: str) -> Any:
    """The job's title; its name where this version does not know it."""
    job = _catalogue.get(name)
    return job.title if job else _other_titles.get(name, name)


def titles() -> dict[str, Any]:
    """What runs are of: each job's title, and those of what stands in the ledger like one."""
    return {name: job.title for name, job in _catalogue.items()} | _other_titles


def get_job(name: str) -> Job[..., Any]:
    """The job of this name.

    Raises:
        UnknownJob: there is none; the hint names the nearest.
    """
    if name in _catalogue:
        return _catalogue[name]
    near = difflib.get_close_matches(name, _catalogue, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]}?" if near else "`flask jobs list` shows all jobs."
    raise UnknownJob(f"There is no job named {name!r}.", field="name", hint=hint)


def load_modules(modules: Iterable[str], setting: str = "") -> None:
    """Import modules that define jobs.

    Raises:
        BadInput: one cannot be imported, or defines a job wrongly, and comes from `setting`,
            which the message names.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except (ImportError, SyntaxError, ValueError) as error:
            if not setting:
                raise
            hint = "Give import paths of Python modules on PYTHONPATH, separated by commas."
            raise BadInput(f"{setting}: {module}: {error}", field=setting, hint=hint) from None


def _check(name: str, function: Callable[..., Any], options: Options) -> None:
    known = _catalogue.get(name)
    if known is not None and known.function.__code__.co_filename != function.__code__.co_filename:
        raise ValueError(f"job {name!r} is defined twice")
    if not _NAME.match(name):
        raise ValueError(f"job name {name!r}: use lower case words joined by a dot, area.verb_what")
    if inspect.iscoroutinefunction(function):
        raise ValueError(f"job {name!r} is an async function; jobs are plain functions")
    if not 0 <= options.priority <= 9:
        raise ValueError(f"job {name!r}: priority is 0 to 9")
    if options.isolation not in ("thread", "process"):
        raise ValueError(f"job {name!r}: isolation is 'thread' or 'process'")
    if options.timeout_seconds <= 0 or options.retry.attempts < 1:
        raise ValueError(f"job {name!r}: timeout_seconds and retry.attempts are above zero")


def _arguments_model(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    hints = inspect.get_annotations(function, eval_str=True)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ValueError(f"job {name!r}: parameter {parameter} cannot be given by name")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints.get(parameter.name, Any), default)
    config = ConfigDict(extra="forbid", strict=True)
    return create_model(f"Arguments of {name}", __config__=config, **fields)


def _parse(job: Job[..., Any], name: str, text: str) -> Any:
    try:
        return read_text(job.arguments_model.model_fields[name], text)
    except (ValueError, RecursionError) as error:
        raise _bad_argument(job, error, field=name) from None


def _bad_argument(job: Job[..., Any], error: Exception, field: str | None = None) -> BadInput:
    text = str(error)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        field = field or ".".join(map(str, first["loc"]))
        text = first["msg"]
    takes = ", ".join(job.arguments_model.model_fields) or "no arguments"
    which = f"Argument {field!r}" if field else "An argument"
    message = f"{which} of {job.name}: {text[:1].lower()}{text[1:]}."
    return BadInput(message, code="bad_argument", field=field, hint=f"The job takes {takes}.")
