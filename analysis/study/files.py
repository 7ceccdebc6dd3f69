"""Read untrusted TOML files: bounded size, strict schema, and errors that name the file and the key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from analysis.errors import ConfigError

MAX_BYTES = 1_000_000


class Strict(BaseModel):
    """Base of every typed file: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, model: type[Model]) -> Model:
    """Parse and validate one TOML file.

    Raises
    ------
    ConfigError
        If the file is absent, larger than `MAX_BYTES`, not TOML, or breaks the schema; the message names the key.
    """
    if not path.is_file():
        raise ConfigError(f"{path} does not exist", remedy="check the path")
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"{path} is too large", given=f"{path.stat().st_size} bytes", limit=f"{MAX_BYTES} bytes")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text", cause=str(error), remedy="save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML", cause=str(error), remedy="mend the line it names") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(
            f"{path} breaks its schema: {_describe(error)}", remedy="mend or remove the keys named"
        ) from error


def _describe(error: ValidationError) -> str:
    """List every violation as `key: reason`, with the value given."""
    rows = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"]) or "file"
        reason = "unknown key" if item["type"] == "extra_forbidden" else item["msg"]
        rows.append(f"{where}: {reason} (given {item['input']!r})"[:300])
    return "; ".join(rows)
