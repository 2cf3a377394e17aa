"""The style sheet of timelines, on top of that of traces, whose tables they share."""

from __future__ import annotations

from obs_magics.display.traces.style import STYLE as TABLES

STYLE = f"""{TABLES}
.obs-magics .obs-timeline :is(th,td):nth-child(-n+3){{white-space:nowrap}}
.obs-magics .obs-moment{{border:1px solid;border-radius:3px;padding:0 .35em;font-size:11px;white-space:nowrap}}"""
