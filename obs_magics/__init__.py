"""Investigate production incidents in notebooks: metrics, logs and traces as tidy frames with a picture.

In a notebook, start with ``%load_ext obs_magics`` and ``%obs help``. In Python::

    from obs_magics import Session

    session = Session()
    session.connect("prom", "http://localhost:9090")
    frame = session.metrics("sum by (service) (rate(http_requests_total[5m]))", last="1h")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obs_magics.api import AsyncSession, Session
    from obs_magics.model.errors import ObsError

__version__ = "0.1.0"
__all__ = ["AsyncSession", "ObsError", "Session", "__version__", "load_ipython_extension", "unload_ipython_extension"]

_LAZY = {
    "AsyncSession": "obs_magics.api",
    "Session": "obs_magics.api",
    "ObsError": "obs_magics.model.errors",
}


def __getattr__(name: str) -> Any:
    """Import the public names when first asked for, so that importing the package stays light."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)


def load_ipython_extension(shell: Any) -> None:
    """Register the magics on an IPython shell (``%load_ext obs_magics``)."""
    from obs_magics.magics import register

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take the magics off the shell again and close what they opened (``%unload_ext obs_magics``)."""
    from obs_magics.magics import unregister

    unregister(shell)
