"""The section `incident` of the configuration as the settings of gathering."""

from __future__ import annotations

from obs_magics.config.settings import Incident
from obs_magics.incident.gathering import Settings
from obs_magics.model.incident import Around


def settings_of(section: Incident) -> Settings:
    """How much is gathered around an incident."""
    around = Around(
        metrics_before_ns=section.metrics_before,
        logs_before_ns=section.logs_before,
        traces_before_ns=section.traces_before,
        deployments_before_ns=section.deployments_before,
        config_changes_before_ns=section.config_changes_before,
        flags_before_ns=section.flags_before,
        alerts_before_ns=section.alerts_before,
        restarts_before_ns=section.restarts_before,
        after_ns=section.after,
        longest_ns=section.longest,
        log_lines=section.log_lines,
        traces=section.traces,
        neighbours=section.neighbours,
    )
    return Settings(around=around, search_ns=section.search, calls=section.calls)
