"""Resolving secrets, late: only when a source is opened, and never into anything that prints itself.

A text may hold ``${NAME}``, or ``${NAME:-default}`` for when the variable is not set or empty; ``$${`` is a plain
``${``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pydantic import SecretStr

from obs_magics.model.errors import ConfigError

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<or>:-)(?P<default>[^}]*))?\}|(?P<bad>\$\{)")
_STORE = re.compile(r"\s*(?P<store>vault)://", re.IGNORECASE)


def resolve(secret: SecretStr | str, environ: Mapping[str, str] = os.environ) -> SecretStr:
    """The value of a secret as the configuration has it.

    Args:
        secret: Text with references, or a plain value.
        environ: The environment.

    Raises:
        ConfigError: A variable is not set or empty, or the value lies in a store that this version cannot ask. The
            message names the variable, never a value.
    """
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    store = _STORE.match(text)
    if store:
        raise ConfigError(
            f"secrets in {store['store'].title()} ({store['store']}://…) cannot be read by this version yet",
            hint="put the secret into an environment variable for now, and write ${NAME} in its place",
        )
    return SecretStr(expand(text, environ))


def expand(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Text with its ``${NAME}`` replaced; for what is not secret (addresses, tenants)."""
    return _REFERENCE.sub(lambda match: _value(match, environ), text)


def _value(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match["bad"]:
        raise ConfigError("a ${ is not followed by a name and }", hint="write ${NAME}; a plain ${ is written $${")
    name = match["name"]
    if name is None:
        return "${"
    value = environ.get(name)
    if value:
        return value
    if match["or"]:
        return str(match["default"])
    state = "is not set" if value is None else "is empty"
    raise ConfigError(
        f"the environment variable {name} {state}",
        hint=f"set it before Jupyter starts (export {name}=…), or in a cell: "
        f"import os, getpass; os.environ[{name!r}] = getpass.getpass()",
    )
