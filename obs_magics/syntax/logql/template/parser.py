"""A template's text as a tree, refused in Go's words where it is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from obs_magics.model.errors import QueryError, did_you_mean
from obs_magics.syntax.logql.strings import go_quote, unquote
from obs_magics.syntax.logql.template.lexer import KEYWORDS, Piece, Token, pieces, refused, tokens
from obs_magics.syntax.logql.template.nodes import (
    Action,
    Argument,
    Branch,
    Command,
    Field,
    Function,
    Leave,
    Literal,
    Nested,
    Node,
    Pipeline,
    Text,
    Variable,
)

MAX_DEPTH = 40
_OPERANDS = frozenset({"string", "char", "number", "field", "variable", "word", "(", ".", "nil"})
_WHOLE_LIMIT = 2**63
_UNSUPPORTED = frozenset({"define", "template", "block"})


def parse_template(text: str, name: str, functions: Collection[str]) -> tuple[tuple[Node, ...], int]:
    """The nodes of a template, and how many variables it has (``$`` counts).

    Raises:
        QueryError: No template; position and words are those of the template.
    """
    reader = _Reader(text, name, functions)
    nodes, _ = reader.nodes(())
    return nodes, reader.slots


class _Reader:
    """Reads one template from its beginning to its end."""

    def __init__(self, text: str, name: str, functions: Collection[str]) -> None:
        self.text, self.name = text, name
        self.slots = 1
        self._functions = functions
        self._pieces = iter(list(pieces(text, name)))
        self._scope: list[tuple[str, int]] = [("$", 0)]
        self._tokens: list[Token] = []
        self._index = 0
        self._loops = 0
        self._depth = 0

    # Nodes

    def nodes(self, closing: Iterable[str]) -> tuple[tuple[Node, ...], Token | None]:
        """Nodes up to one of the closing keywords, and that keyword's token."""
        found: list[Node] = []
        for piece in self._pieces:
            if not piece.is_action:
                found.append(Text(piece.text))
                continue
            self._tokens, self._index = tokens(self.text, self.name, piece), 0
            token = self._here
            if token.kind in {"end", "else"}:
                if token.kind not in closing:
                    raise self._refused(f"unexpected {{{{{token.text}}}}}")
                self._advance()
                return tuple(found), token
            found.append(self._action(piece))
        if closing:
            raise refused(self.text, self.name, len(self.text), "unexpected EOF")
        return tuple(found), None

    def _action(self, piece: Piece) -> Node:
        token = self._here
        if token.kind in {"if", "with", "range"}:
            return self._branch()
        if token.kind in {"break", "continue"}:
            self._advance()
            if not self._loops:
                raise self._refused(f"{{{{{token.kind}}}}} outside {{{{range}}}}", token)
            self._finish(token.kind)
            return Leave(token.kind)
        if token.kind in _UNSUPPORTED:
            error = self._refused(f"{{{{{token.kind}}}}} is not supported here", token)
            error.hint = "write out what the template would hold"
            raise error
        if token.kind == "end of action":
            raise refused(self.text, self.name, piece.start, "missing value for command", max(1, len(piece.text)))
        return Action(self._pipeline("command"))

    def _branch(self) -> Branch:
        """From ``if`` to its ``end``; variables live until then."""
        keyword = self._advance()
        self._deeper(keyword)
        size = len(self._scope)
        pipeline = self._pipeline(keyword.kind, may_declare=True)
        self._loops += keyword.kind == "range"
        then, ending = self.nodes({"end", "else"})
        self._loops -= keyword.kind == "range"
        otherwise: tuple[Node, ...] = ()
        if ending is not None and ending.kind == "else":
            otherwise = self._otherwise(keyword)
        else:
            self._finish("end")
        del self._scope[size:]
        self._depth -= 1
        return Branch(keyword.kind, pipeline, then, otherwise)

    def _otherwise(self, keyword: Token) -> tuple[Node, ...]:
        """Behind ``else``: another ``if`` (or ``with``) that shares the end, or nodes."""
        if self._here.kind == keyword.kind and keyword.kind in {"if", "with"}:
            return (self._branch(),)
        self._finish("else")
        nodes, _ = self.nodes({"end"})
        self._finish("end")
        return nodes

    # Pipelines

    def _pipeline(self, context: str, *, may_declare: bool = False, closing: str = "end of action") -> Pipeline:
        slots, is_assignment, names = self._declared(context, may_declare=may_declare)
        commands: list[Command] = []
        while True:
            if self._here.kind not in _OPERANDS:
                raise self._missing(context, closing)
            commands.append(self._command(context, closing))
            if self._here.kind == "|":
                self._advance()
                continue
            break
        self._advance()
        self._check_commands(commands)
        if not is_assignment:
            self._scope += zip(names, slots, strict=True)
        return Pipeline(tuple(commands), tuple(slots), is_assignment)

    def _missing(self, context: str, closing: str) -> QueryError:
        token = self._here
        if token.kind == closing:
            return self._refused(f"missing value for {context}", token)
        if token.kind == "end of action":
            return self._refused("unclosed left paren", token)
        return self._refused(f"unexpected {_shown(token)} in {context}", token)

    def _declared(self, context: str, *, may_declare: bool) -> tuple[list[int], bool, list[str]]:
        """``$x :=``, ``$x =``, and in a range ``$i, $x :=``."""
        kinds = [token.kind for token in self._tokens[self._index : self._index + 4]]
        is_pair = context == "range" and kinds[:3] == ["variable", ",", "variable"] and kinds[3:] in ([":="], ["="])
        is_single = kinds[:1] == ["variable"] and kinds[1:2] in ([":="], ["="])
        if not is_pair and not is_single:
            return [], False, []
        count = 2 if is_pair else 1
        named = [self._tokens[self._index + 2 * place] for place in range(count)]
        sign = self._tokens[self._index + 2 * count - 1]
        self._index += 2 * count
        if sign.kind == "=":
            return [self._slot(token) for token in named], True, []
        slots = list(range(self.slots, self.slots + count))
        self.slots += count
        return slots, False, [token.text for token in named]

    def _command(self, context: str, closing: str) -> Command:
        arguments: list[Argument] = []
        while self._here.kind in _OPERANDS:
            if arguments and self._here.glued:
                raise self._refused(f"unexpected {_shown(self._here)} in operand")
            arguments.append(self._operand())
        if self._here.kind not in {closing, "|"}:
            raise self._missing(context, closing)
        return Command(tuple(arguments))

    def _check_commands(self, commands: list[Command]) -> None:
        """Only functions and fields can be given the result of the command before."""
        for number, command in enumerate(commands):
            first = command.arguments[0]
            is_value = isinstance(first, Literal)
            if number > 0 and is_value:
                message = f"non executable command in pipeline stage {number + 1}"
                raise refused(self.text, self.name, first.at, message, max(1, first.end - first.at))

    def _operand(self) -> Argument:
        token = self._advance()
        if token.kind == "(":
            self._deeper(token)
            pipeline = self._pipeline("parenthesized pipeline", closing=")")
            self._depth -= 1
            return Nested(pipeline, self._chain(), token.start, self._end)
        if token.kind in {".", "field"}:
            names = () if token.kind == "." else (token.text[1:], *self._chain())
            return Field(names, token.start, self._end)
        if token.kind == "variable":
            return Variable(self._slot(token), self._chain(), token.start, self._end)
        if token.kind == "word" and token.text not in {"true", "false"}:
            if token.text not in self._functions:
                error = self._refused(f"function {go_quote(token.text)} not defined", token)
                error.hint = did_you_mean(token.text, sorted(self._functions)) or "a label begins with a dot: .label"
                raise error
            return Function(token.text, token.start, self._end)
        return Literal(self._constant(token), token.start, self._end)

    def _chain(self) -> tuple[str, ...]:
        """Fields that follow without a space: ``.b.c`` of ``.a.b.c``."""
        names: list[str] = []
        while self._here.kind == "field" and self._here.glued:
            names.append(self._advance().text[1:])
        return tuple(names)

    def _constant(self, token: Token) -> object:
        if token.kind == "nil":
            return None
        if token.kind == "word":
            return token.text == "true"
        if token.kind == "number":
            return self._number(token)
        try:
            value = unquote(token.text if token.kind == "string" else f'"{_inside_quotes(token.text)}"')
        except ValueError:
            raise self._refused(f"invalid syntax: {token.text}", token) from None
        if token.kind == "char":
            if len(value) != 1:
                raise self._refused(f"malformed character constant: {token.text}", token)
            return ord(value)
        return value

    def _number(self, token: Token) -> int | float:
        try:
            plain = token.text.replace("_", "").lower()
            if "0x" not in plain and any(mark in plain for mark in ".e"):
                return float(plain)
            if "p" in plain:
                return float.fromhex(plain)
            octal = plain.lstrip("+-")
            base = 8 if len(octal) > 1 and octal[0] == "0" and octal.isdigit() else 0
            value = int(plain, base)
        except ValueError:
            value = _WHOLE_LIMIT
        if not -_WHOLE_LIMIT <= value < _WHOLE_LIMIT:
            raise self._refused(f"bad number syntax: {go_quote(token.text)}", token)
        return value

    def _slot(self, token: Token) -> int:
        slot = next((slot for name, slot in reversed(self._scope) if name == token.text), None)
        if slot is None:
            raise self._refused(f"undefined variable {go_quote(token.text)}", token)
        return slot

    # Tokens

    @property
    def _here(self) -> Token:
        return self._tokens[self._index]

    @property
    def _end(self) -> int:
        """The end of the token taken last."""
        token = self._tokens[self._index - 1]
        return token.start + len(token.text)

    def _advance(self) -> Token:
        token = self._here
        self._index += 1
        return token

    def _finish(self, context: str) -> None:
        if self._here.kind != "end of action":
            raise self._refused(f"unexpected {_shown(self._here)} in {context}")

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refused(f"more than {MAX_DEPTH} levels within each other", token)

    def _refused(self, message: str, token: Token | None = None) -> QueryError:
        place = token or self._here
        return refused(self.text, self.name, place.start, message, max(1, len(place.text)))


def _inside_quotes(text: str) -> str:
    r"""The content of ``'"'`` or ``'\''``, as it stands between double quotes."""
    inside = text[1:-1]
    return inside.replace("\\'", "'") if inside == "\\'" else '\\"' if inside == '"' else inside


def _shown(token: Token) -> str:
    """A token as Go shows it in its errors."""
    if token.kind in KEYWORDS:
        return f"<{token.text}>"
    return f"{go_quote(token.text[:10])}..." if len(token.text) > 10 else go_quote(token.text)
