"""The public face: `Session` for notebooks and scripts, `AsyncSession` for programs with a loop of their own.

Both talk to the same core, which lives on one background event loop, and have the same methods.
"""

from __future__ import annotations

from obs_magics.api.catalogs import SyncCatalog, SyncLogCatalog, SyncTraceCatalog
from obs_magics.api.sessions import AsyncSession, Session
from obs_magics.session.anomaly_report import AnomalyReport, Examined
from obs_magics.session.book import SourceStatus
from obs_magics.session.connect import Connected
from obs_magics.session.plan import Plan
from obs_magics.session.sql import SqlPlan

__all__ = [
    "AnomalyReport",
    "AsyncSession",
    "Connected",
    "Examined",
    "Plan",
    "Session",
    "SourceStatus",
    "SqlPlan",
    "SyncCatalog",
    "SyncLogCatalog",
    "SyncTraceCatalog",
]
