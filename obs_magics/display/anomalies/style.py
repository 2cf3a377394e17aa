"""The style sheet of anomalies, on top of that of traces, whose tables they share.

Without it, as in a notebook that JupyterLab does not trust, everything is still there in its order.
"""

from __future__ import annotations

from obs_magics.display.theme import PALETTE
from obs_magics.display.traces import style as traces_style

_LINE = "var(--jp-border-color2,#8884)"
_RULES = f"""\
.obs-magics .obs-odds{{max-width:76em;margin:.7em 0}}
.obs-magics .obs-odd-one{{border-left:4px solid {_LINE};padding:.1em 0 .1em .8em;margin:.7em 0}}
.obs-magics .obs-odd-one:is(.obs-s-critical,.obs-s-high){{border-left-color:{PALETTE[1]}}}
.obs-magics .obs-odd-one.obs-s-medium{{border-left-color:{PALETTE[4]}}}
.obs-magics .obs-odd-one .obs-over{{margin:0 0 .15em}}
.obs-magics .obs-facts{{display:grid;grid-template-columns:8.5em minmax(0,1fr);column-gap:.8em;margin:0}}
.obs-magics.obs-magics.obs-magics .obs-facts>dt{{opacity:.75;float:none;width:auto;font-weight:400}}
.obs-magics.obs-magics.obs-magics .obs-facts>dd{{margin:0;padding:0}}
.obs-magics .obs-facts ol{{margin:0;padding-left:1.3em}}
.obs-magics .obs-odd-one details{{margin:.15em 0 0}}"""

STYLE = f"{traces_style.STYLE}\n{_RULES}"
