"""A settings file as nested values that know their line, so that a message can name it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from causalrec.answers import InputError
from causalrec.settings.file import compose

NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True)
class Value:
    """A piece of the file.

    Attributes:
        line: Where it begins, from 1.
        content: Text of a scalar (empty for null), a list, or a mapping.
    """

    file: str
    line: int
    content: str | list[Value] | dict[str, Value]

    def error(self, says: str) -> InputError:
        return InputError(f"{self.file}, line {self.line}: {says}")

    def mapping(self, what: str, known: Iterable[str], needed: Iterable[str] = ()) -> dict[str, Value]:
        """As a mapping of known keys.

        Raises:
            InputError: It is none, has a key that is not known, or lacks one; the message has the line.
        """
        if not isinstance(self.content, dict):
            raise self.error(f"{what} must be a mapping of {', '.join(known)}; got {self.shown()}")
        for key, value in self.content.items():
            if key not in known:
                near = difflib.get_close_matches(key, list(known), n=1)
                hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"
                raise value.error(f"unknown key `{key}` in {what}; {hint}")
        if missing := [key for key in needed if key not in self.content or self.content[key].content in ("", [], {})]:
            raise self.error(f"{what} needs {' and '.join(f'`{key}`' for key in missing)}, not empty")
        return self.content

    def items(self, what: str) -> list[Value]:
        """As a list; nothing at all is an empty one.

        Raises:
            InputError: It is something else.
        """
        if self.content == "":
            return []
        if not isinstance(self.content, list):
            raise self.error(f"{what} must be a list, each entry beginning with `- `; got {self.shown()}")
        return self.content

    def text(self, what: str) -> str:
        """As text.

        Raises:
            InputError: It is a list or a mapping.
        """
        if not isinstance(self.content, str):
            raise self.error(f"{what} must be one value; got {self.shown()}")
        return self.content.strip()

    def shown(self) -> str:
        kind = {str: f"`{self.content}`", list: "a list", dict: "a mapping"}
        return kind[type(self.content)]


def read_lines(text: str, file: str) -> Value:
    """Parse YAML.

    Args:
        file: Its name, for messages.

    Raises:
        InputError: As `settings_file.compose` says: it is no YAML, a mapping has a key twice, ...
    """
    node = compose(text, file)
    return Value(file, 1, {}) if node is None else _value(node, file)


def _value(node: yaml.Node, file: str) -> Value:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        by_name: dict[str, Value] = {}
        for key, value in node.value:
            at, name = key.start_mark.line + 1, str(key.value)
            if name in by_name:  # 1 and "1" are two keys of YAML, and one name
                raise InputError(
                    f"{file}, line {at}: the key `{name}` is there twice, first on line {by_name[name].line}"
                )
            # A value may begin on the line after its key; people look for the key.
            by_name[name] = Value(file, at, _value(value, file).content)
        return Value(file, line, by_name)
    if isinstance(node, yaml.SequenceNode):
        return Value(file, line, [_value(item, file) for item in node.value])
    return Value(file, line, "" if node.tag == NULL else str(node.value))
