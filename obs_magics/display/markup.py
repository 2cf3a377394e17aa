"""HTML of our panels and tables: every text escaped, one scoped style sheet, no scripts."""

from __future__ import annotations

import html
from urllib.parse import urlsplit

# JupyterLab's own variables, so that light, dark and other themes fit; elsewhere the colours after the comma, which
# follow the reader's system where it says light or dark. The class stands three times where Lab's own rules for pre, th
# and td name two.
STYLE = """<style>
.obs-magics{color-scheme:light dark;font:13px/1.45 var(--jp-ui-font-family,system-ui,sans-serif);\
color:var(--jp-content-font-color1,CanvasText);margin:.2em 0 .4em;overflow-wrap:anywhere}
.obs-magics :is(p,ul,table,.obs-head,.obs-note){max-width:60em}
.obs-magics .obs-head{font-weight:600;margin:0 0 .25em}
.obs-magics p,.obs-magics ul{margin:.15em 0}
.obs-magics ul{padding-left:1.3em}
.obs-magics .obs-note{border-left:3px solid var(--jp-warn-color1,#c77700);padding:.1em 0 .1em .6em;margin:.35em 0}
.obs-magics .obs-failed{border-left-color:var(--jp-error-color1,#d32f2f)}
.obs-magics .obs-info{border-left-color:var(--jp-info-color1,#0288d1)}
.obs-magics .obs-quiet{color:var(--jp-content-font-color2,GrayText)}
.obs-magics a{color:var(--jp-content-link-color,LinkText)}
.obs-magics.obs-magics.obs-magics pre{font:12px/1.4 var(--jp-code-font-family,ui-monospace,monospace);margin:.3em 0;\
padding:.35em .6em;background:var(--jp-cell-editor-background,#8882);color:inherit;border-radius:3px;max-width:80em;\
white-space:pre-wrap;word-break:normal}
.obs-magics table{border-collapse:collapse;margin:.3em 0;font-size:12px}
.obs-magics caption{text-align:left;font-weight:600;padding:.2em 0}
.obs-magics.obs-magics.obs-magics :is(th,td){text-align:left;padding:.25em 1.2em .25em .4em;\
border-bottom:1px solid var(--jp-border-color2,#8884);vertical-align:top;line-height:1.4;white-space:pre-wrap;\
overflow-wrap:break-word}
.obs-magics.obs-magics.obs-magics .obs-number{text-align:right;font-variant-numeric:tabular-nums}
.obs-magics svg{max-width:100%;height:auto}
</style>"""

# What HTML forbids even as a character reference: https://html.spec.whatwg.org/#control-character-state
_FORBIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0xD800, 0xE000)), "�")


def text(value: str) -> str:
    """A text as HTML: everything escaped, characters that HTML forbids replaced."""
    return html.escape(value.translate(_FORBIDDEN), quote=True)


def element(tag: str, inside: str, css: str = "") -> str:
    """An element around HTML that is escaped already."""
    return f'<{tag} class="{css}">{inside}</{tag}>' if css else f"<{tag}>{inside}</{tag}>"


def scoped(inside: str, *more: str) -> str:
    """A block with our style sheet, and with rules of its own below `.obs-magics`."""
    sheets = "".join(f"<style>\n{rules}\n</style>" for rules in more if rules)
    return f'{STYLE}{sheets}<div class="obs-magics">{inside}</div>'


def is_link(url: str) -> bool:
    """Whether a URL may become a link: http or https, with a host, and no characters that a URL does not have."""
    if any(char <= " " or char in "\"'<>\\^`{|}" or "\x7f" <= char <= "\xa0" for char in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:  # a broken IPv6 address, for one
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def link(url: str, label: str) -> str:
    """A link, or the address as text where it may not become one."""
    if not is_link(url):
        return text(url)
    return f'<a href="{text(url)}" target="_blank" rel="noopener noreferrer">{text(label)}</a>'
