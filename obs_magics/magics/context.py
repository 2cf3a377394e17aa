"""What the magics of one shell share: the shell itself, and a session that is made when first needed."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obs_magics.api import Session
    from obs_magics.display.progress import ProgressLine
    from obs_magics.magics.case import Case


def _new_session() -> Session:
    from obs_magics.api import Session

    return Session()


def _clear_output() -> None:
    from IPython.display import clear_output

    clear_output()


class Context:
    """One per shell.

    Args:
        shell: An IPython `InteractiveShell`.
        open_session: Makes the session.
    """

    def __init__(self, shell: Any, open_session: Callable[[], Session] = _new_session) -> None:
        self.shell = shell
        self._open_session = open_session
        self._session: Session | None = None
        self._case: Case | None = None
        self._lock = Lock()

    @property
    def session(self) -> Session:
        """The shell's session, made when first asked for. Completion asks from threads of its own."""
        with self._lock:
            if self._session is None:
                self._session = self._open_session()
            return self._session

    @property
    def default_source(self) -> str | None:
        """The default source, as far as there is a session already; makes none."""
        return None if self._session is None else self._session.default

    @property
    def case(self) -> Case:
        """What the notebook is about: its incident, and people's notes."""
        from obs_magics.magics.case import Case

        if self._case is None:
            self._case = Case()
        return self._case

    def progress(self) -> ProgressLine:
        """A line for a question that takes long. In a notebook it leaves no trace in what is saved."""
        from obs_magics.display.progress import ProgressLine

        return ProgressLine(clear=_clear_output if self._is_alone_in_its_cell() else None)

    def _is_alone_in_its_cell(self) -> bool:
        """Whether nothing of the cell can have been shown before the magic that runs now."""
        if not hasattr(self.shell, "kernel"):
            return False
        lines = self.shell.get_parent().get("content", {}).get("code", "").splitlines()
        told = [line.lstrip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
        magics = [line for line in told if line.startswith("%")]
        return bool(magics) and magics[0] == told[0] and (magics[0].startswith("%%") or len(magics) == 1)

    def write(self, text: str) -> None:
        """Show plain text under the cell."""
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")

    def show(self, *bundles: Mapping[str, Any]) -> None:
        """Show MIME bundles under the cell, one after the other."""
        from IPython.display import display

        for bundle in bundles:
            display(dict(bundle), raw=True)

    def names(self, local_ns: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `${name}` can mean: the variables of the function in which the magic stands, then the user's own."""
        return ChainMap(dict(local_ns), self.shell.user_ns)

    def fill(self, name: str, value: object) -> None:
        """Give a value to one of the user's variables."""
        self.shell.push({name: value})

    def close(self) -> None:
        """Close the session, if there ever was one."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()
