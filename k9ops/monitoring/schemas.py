"""What programs may send."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from k9ops.core.errors import BadInput, K9Error


class MalformedJson(K9Error):
    """The body is no JSON."""

    code = "malformed_json"
    status = 400


class RunRequest(BaseModel):
    """Body of `POST /api/v1/jobs/{name}/run`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    arguments: dict[str, Any] = Field(default_factory=dict)
    via: Literal["auto", "celery", "here"] = "auto"


def read_run_request(body: bytes) -> RunRequest:
    """The request in `body`; an empty body asks for the defaults.

    Raises:
        MalformedJson: it is no JSON.
        BadInput: a field is unknown or of the wrong type; the error names it.
    """
    try:
        return RunRequest.model_validate_json(body) if body.strip() else RunRequest()
    except ValidationError as error:
        raise _explain(error) from None


def _explain(error: ValidationError) -> K9Error:
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        hint = 'Send a JSON object such as {"arguments": {}, "via": "auto"}, or no body.'
        return MalformedJson(f"The body is no JSON: {first['ctx']['error']}.", hint=hint)
    field = ".".join(map(str, first["loc"])) or None
    hint = "The body takes `arguments` (an object) and `via` (auto, celery or here)."
    return BadInput(f"{field or 'The body'}: {first['msg']}.", field=field, hint=hint)
