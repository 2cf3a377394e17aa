"""`%obs connect` and `%obs demo`: open a source, and say what to keep of it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from IPython.core.error import StdinNotImplementedError

from obs_magics.magics.commands_obs import FOLDER_OPTIONS
from obs_magics.model.errors import UsageError

if TYPE_CHECKING:
    from obs_magics.api import Connected
    from obs_magics.magics.arguments import Arguments
    from obs_magics.magics.context import Context


def connect(context: Context, arguments: Arguments) -> None:
    """``%obs connect NAME URL``."""
    name, address = arguments.words
    if arguments.has("verify") and arguments.has("no-verify"):
        raise UsageError("--verify and --no-verify contradict each other", hint="keep one of them")
    connected = context.session.connect(
        name,
        address,
        type=arguments.text("type"),
        token=_secret(arguments, "token", f"Token for {name}: "),
        user=arguments.text("user"),
        password=_secret(arguments, "password", f"Password for {name}: "),
        tenant=arguments.text("tenant"),
        verify=arguments.text("verify") or not arguments.has("no-verify"),
        timeout=arguments.text("timeout"),
        options=_folder_options(arguments),
    )
    context.write(_report(connected))
    typed = [flag for flag in ("token", "password") if (text := arguments.text(flag)) and not text.startswith("${")]
    if typed:
        context.write(
            f"The {typed[0]} is now saved in this cell and in the history. Next time: --{typed[0]} without a value\n"
            f"asks for it, and --{typed[0]} '${{NAME}}' reads the environment variable NAME."
        )


def _folder_options(arguments: Arguments) -> dict[str, str]:
    """What is said of a folder's tables, by the keys of the configuration."""
    given = {option.name.replace("-", "_"): arguments.text(option.name) for option in FOLDER_OPTIONS}
    return {key: text for key, text in given.items() if text is not None}


def demo(context: Context, _arguments: Arguments) -> None:
    """``%obs demo``."""
    with context.progress() as progress:
        connected = context.session.demo(progress=progress)
    # Neither its path nor YAML to keep: the one differs by machine, and the other is never needed.
    context.write(f"{connected.health.detail}\nIt is now the default source, as {connected.name}.")


def _secret(arguments: Arguments, option: str, prompt: str) -> str | None:
    """The value of an option, asked for without echo when it was left out."""
    if not arguments.has(option) or arguments.text(option) is not None:
        return arguments.text(option)
    try:
        answer = getpass.getpass(prompt)
    except (EOFError, StdinNotImplementedError):  # a notebook that is run without a person
        raise UsageError(f"nobody is there to type the {option}", hint=f"--{option} '${{NAME}}' reads it") from None
    if not answer:
        raise UsageError(f"no {option} was given", hint=f"leave --{option} out to connect without one")
    return answer


def _report(connected: Connected) -> str:
    """Who answered, and what to put into the configuration. How long it took is left out: a saved output is stable."""
    health = connected.health
    lines = [
        f"{connected.name}: {health.version or connected.platform} at {connected.address}, now the default source",
        *([health.detail] if health.detail else []),
        "",
        "To keep it, put this into obs.yaml:",
        "",
        connected.yaml.rstrip(),
    ]
    return "\n".join(lines)
