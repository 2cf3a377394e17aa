"""The style sheet of logs, on top of that of all panels.

Without it, as in a notebook that JupyterLab does not trust, everything is still there in its order: the elements
themselves say what opens, what is a row, and what keeps its direction of reading to itself.
"""

from __future__ import annotations

from obs_magics.display.logs.levels import COLOURS, css

_LINE = "var(--jp-border-color2,#8884)"
_LEVELS = "\n".join(
    f".obs-magics .{css(level)}{{border-left:4px solid {colour};padding-left:.5em}}"
    for level, colour in COLOURS.items()
)

STYLE = f"""\
.obs-magics :is(.obs-patterns,.obs-lines){{max-width:96em;margin:.7em 0}}
.obs-magics .obs-over{{font-weight:600;margin:0 0 .2em}}
.obs-magics .obs-over span{{font-weight:400}}
.obs-magics bdi{{unicode-bidi:isolate}}
.obs-magics mark{{background:#ffd54a;color:#000;border-radius:2px}}
.obs-magics var{{font-style:normal;white-space:nowrap;border-radius:3px;padding:0 .15em;background:#8883}}
.obs-magics .obs-odd{{opacity:.75;border-bottom:1px dotted}}
.obs-magics .obs-id{{user-select:all}}
.obs-magics summary{{cursor:pointer}}
.obs-magics .obs-more{{margin:.2em 0 .5em;font-size:12px}}
.obs-magics .obs-more p{{max-width:none}}
.obs-magics.obs-magics.obs-magics .obs-more pre{{max-height:24em;max-width:none;overflow:auto;\
overflow-wrap:anywhere;tab-size:2}}
.obs-magics .obs-patterns table{{table-layout:fixed;width:100%;max-width:none}}
.obs-magics.obs-magics.obs-magics .obs-patterns :is(th,td){{padding:.3em .8em .3em .3em;overflow:hidden}}
.obs-magics .obs-patterns th:nth-child(1){{width:5.2em}}
.obs-magics .obs-patterns th:nth-child(2){{width:120px}}
.obs-magics .obs-patterns th:nth-child(3){{width:4.6em}}
.obs-magics .obs-template{{font:12px/1.45 var(--jp-code-font-family,ui-monospace,monospace);overflow:hidden;\
overflow-wrap:anywhere;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:4}}
.obs-magics .obs-spark{{display:block;max-width:100%}}
.obs-magics .obs-mark strong{{border:1px solid;border-radius:3px;padding:0 .35em;white-space:nowrap}}
.obs-magics .obs-lines details{{border-bottom:1px solid {_LINE};overflow:hidden}}
.obs-magics .obs-lines summary{{display:flex;gap:1ch;list-style:none;white-space:pre;overflow:hidden;\
font:12px/1.7 var(--jp-code-font-family,ui-monospace,monospace)}}
.obs-magics .obs-lines summary::-webkit-details-marker{{display:none}}
.obs-magics .obs-lines summary::before{{content:"▸";flex:none}}
.obs-magics .obs-lines details[open]>summary::before{{content:"▾"}}
.obs-magics .obs-lines summary>*{{flex:none;overflow:hidden;text-overflow:ellipsis}}
.obs-magics .obs-lines .obs-where{{max-width:22ch}}
.obs-magics .obs-lines .obs-what{{flex:1;min-width:0}}
{_LEVELS}"""
