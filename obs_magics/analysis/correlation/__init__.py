"""What moved with a series, and what changed just before it did."""

from obs_magics.analysis.correlation.events import correlate_with_events
from obs_magics.analysis.correlation.relations import Relations
from obs_magics.analysis.correlation.series import correlate
from obs_magics.analysis.correlation.traffic import traffic_before
from obs_magics.analysis.correlation.windows import Windows

__all__ = ["Relations", "Windows", "correlate", "correlate_with_events", "traffic_before"]
