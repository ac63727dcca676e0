"""docker-compose.yml, Dockerfile and .dockerignore, read as Docker reads them."""

import re
import shutil
from pathlib import Path

from ruamel.yaml import YAML

from config import ROOT

COMPOSE = ROOT / "docker-compose.yml"
#: Written by hand into `.env`.
SECRETS = {
    "POSTGRES_PASSWORD": "of-postgresql",
    "REDIS_PASSWORD": "of-redis",
    "SECRET_KEY": "of-sessions",
}
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<sign>[-?])(?P<text>[^}]*))?\}")


def load() -> dict:
    """The file with its variables in place, as a unit sees it that set the secrets alone."""
    return YAML(typ="safe").load(_VARIABLE.sub(_value, COMPOSE.read_text()))


def variables() -> list[tuple[str, str, str]]:
    """Name, sign (`-` default, `?` required) and text of every variable in the file."""
    found = _VARIABLE.finditer(COMPOSE.read_text())
    return [(one["name"], one["sign"] or "", one["text"] or "") for one in found]


def dockerfile() -> list[str]:
    """The instructions, each on one line."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def context(folder: Path) -> Path:
    """Copy into the folder what `.dockerignore` lets through to the builder."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    patterns = [line for line in lines if not line.startswith("#")]
    assert patterns[0] == "*", "only what is named may go into the image"
    folder.mkdir(exist_ok=True)
    hidden = shutil.ignore_patterns(
        *(one.rpartition("/")[2] for one in patterns[1:] if "!" not in one)
    )
    for name in (one[1:] for one in patterns if one.startswith("!")):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=hidden)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def _value(match: re.Match[str]) -> str:
    return SECRETS.get(match["name"], match["text"] if match["sign"] == "-" else "")
