"""The style sheet of traces, on top of that of all panels.

Without it, as in a notebook that JupyterLab does not trust, everything is still there in its order: bars stand there as
block characters, and icons and words say what the colours say.
"""

from __future__ import annotations

from obs_magics.display.theme import PALETTE

TIME_COLOUR, ERROR_COLOUR = PALETTE[0], PALETTE[1]
_FAINT = f"{TIME_COLOUR}6b"
_LINE = "var(--jp-border-color2,#8884)"
_CODE = "var(--jp-code-font-family,ui-monospace,monospace)"

STYLE = f"""\
.obs-magics .obs-traces{{max-width:96em;margin:.7em 0}}
.obs-magics .obs-over{{font-weight:600;margin:0 0 .2em}}
.obs-magics .obs-over span{{font-weight:400}}
.obs-magics .obs-traces p{{max-width:none}}
.obs-magics bdi{{unicode-bidi:isolate}}
.obs-magics .obs-odd{{opacity:.75;border-bottom:1px dotted}}
.obs-magics .obs-id{{user-select:all;font:12px {_CODE}}}
.obs-magics summary{{cursor:pointer}}
.obs-magics .obs-more{{margin:.2em 0 .5em 1.5em;font-size:12px}}
.obs-magics.obs-magics.obs-magics .obs-more pre{{max-height:16em;max-width:none;overflow:auto;overflow-wrap:anywhere}}
.obs-magics.obs-magics.obs-magics .obs-more :is(th,td){{padding:.1em 1.2em .1em 0;border:0;font-weight:400}}
.obs-magics .obs-more th{{width:14em;opacity:.75}}
.obs-magics .obs-fall{{font-size:12px;line-height:1.7;border-top:1px solid {_LINE};container-type:inline-size}}
.obs-magics .obs-fall details{{border-bottom:1px solid {_LINE}}}
.obs-magics .obs-fall :is(summary,.obs-scale){{display:grid;column-gap:.8em;list-style:none;\
grid-template-columns:minmax(0,2fr) minmax(0,3fr) 5.2em 4.2em}}
.obs-magics .obs-fall summary::-webkit-details-marker{{display:none}}
.obs-magics .obs-fall summary>*{{order:2}}
.obs-magics .obs-fall summary>.obs-says{{order:3;grid-column:1/-1;line-height:1.4;padding:0 0 .2em 1em}}
.obs-magics .obs-fall summary>.obs-name{{order:1;display:flex;min-width:0}}
.obs-magics .obs-name::before{{content:"▸";flex:none;width:1em;opacity:.6}}
.obs-magics details[open]>summary>.obs-name::before{{content:"▾"}}
.obs-magics .obs-what{{min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}}
.obs-magics .obs-wraps .obs-what{{white-space:normal}}
@container (max-width:760px){{.obs-magics .obs-what{{white-space:normal;line-height:1.35;padding:.15em 0}}\
.obs-magics .obs-name .obs-tree{{font-size:7px}}}}
.obs-magics .obs-fall summary:hover{{background:#8881}}
.obs-magics .obs-tree{{flex:none;white-space:pre;opacity:.5;font-family:{_CODE}}}
.obs-magics .obs-badge{{border:1px solid;border-radius:3px;padding:0 .35em;font-weight:600;line-height:1.35;\
font-size:11px;white-space:nowrap}}
.obs-magics .obs-error{{color:{ERROR_COLOUR};color:color-mix(in srgb,{ERROR_COLOUR} 78%,currentColor)}}
.obs-magics .obs-scale{{opacity:.75}}
.obs-magics .obs-scale .obs-ticks{{grid-column:2;display:flex;justify-content:space-between}}
.obs-magics .obs-track{{position:relative;\
background:linear-gradient(90deg,{_LINE} 1px,transparent 1px) 0 0/25% 100%}}
.obs-magics :is(.obs-track,.obs-share,.obs-key) samp{{display:none}}
.obs-magics .obs-track i{{position:absolute;top:.4em;height:.9em;min-width:2px;background:{_FAINT}}}
.obs-magics .obs-key i{{display:inline-block;width:1.8em;height:.8em;vertical-align:-.05em;background:{_FAINT};\
margin:0 .3em 0 .8em}}
.obs-magics i.obs-critical{{\
background:repeating-linear-gradient(135deg,#0006 0 2px,#0000 2px 6px) {TIME_COLOUR}}}
.obs-magics .obs-track i.obs-critical{{top:.25em;height:1.2em}}
.obs-magics .obs-track i.obs-bad{{box-shadow:0 3px 0 {ERROR_COLOUR}}}
.obs-magics .obs-key i.obs-bad{{box-shadow:0 3px 0 {ERROR_COLOUR}}}
.obs-magics .obs-wide{{overflow-x:auto}}
.obs-magics .obs-wide table{{width:100%;max-width:none}}
.obs-magics.obs-magics.obs-magics .obs-wide :is(th,td){{padding:.25em .8em .25em .3em;overflow-wrap:normal}}
.obs-magics .obs-wide :is(th,.obs-id){{white-space:nowrap}}
.obs-magics.obs-magics.obs-magics .obs-traces td.obs-number{{white-space:nowrap}}
.obs-magics .obs-pair{{display:flex;gap:.6em;align-items:center}}
.obs-magics .obs-pair>span:first-child{{flex:1;min-width:3.5em}}
.obs-magics .obs-pair>span:last-child{{flex:none;min-width:3.2em;text-align:right;white-space:nowrap}}
.obs-magics .obs-share{{position:relative;display:block;height:.9em;background:#8882}}
.obs-magics .obs-share i{{position:absolute;inset:0 auto 0 0;min-width:1px;background:{TIME_COLOUR}}}
.obs-magics .obs-share+.obs-share{{margin-top:2px}}
.obs-magics .obs-share i.obs-before{{background:{_FAINT}}}
.obs-magics .obs-query{{font:12px/1.45 {_CODE};overflow-wrap:break-word;min-width:16em}}
.obs-magics .obs-map{{overflow-x:auto}}
.obs-magics .obs-ground{{fill:var(--jp-layout-color1,Canvas);stroke:none}}
.obs-magics .obs-halo{{paint-order:stroke;stroke:var(--jp-layout-color1,Canvas);stroke-width:2px}}"""
