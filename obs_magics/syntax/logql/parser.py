"""LogQL text as a tree; accepts and refuses what Loki 3 does, in its words, with the place and a way out."""

from __future__ import annotations

from obs_magics.syntax.logql.checks import check_stages
from obs_magics.syntax.logql.cursor import Cursor
from obs_magics.syntax.logql.expressions import expression
from obs_magics.syntax.logql.lexer import END
from obs_magics.syntax.logql.tree import Expression


def parse(text: str) -> Expression:
    """The query as a tree.

    Numbers put together by operators are one number (``2 * 60`` is 120), as in Loki.

    Raises:
        QueryError: Not LogQL; `words` is what Loki says, `position` the place.

    >>> parse('{app="api"} |= "error"').matchers[0].value
    'api'
    """
    cursor = Cursor(text)
    tree = expression(cursor)
    if cursor.kind != END:
        raise cursor.unexpected()
    cursor.raise_later()
    check_stages(text, tree)
    return tree
