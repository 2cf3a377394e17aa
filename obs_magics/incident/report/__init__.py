"""The postmortem of an incident, as HTML, PDF, Markdown or JSON."""

from obs_magics.incident.report.impact import Impact, Slo, impact_of
from obs_magics.incident.report.postmortem import FORMATS, Action, Postmortem

__all__ = ["FORMATS", "Action", "Impact", "Postmortem", "Slo", "impact_of"]
