"""entry_points.txt: the commands that a wheel installs."""

from __future__ import annotations

import configparser
import re

from pypid.domain.names import shorten

_COMMAND = re.compile(r"[\w.-]+")


class _Parser(configparser.ConfigParser):
    optionxform = staticmethod(str)  # type: ignore[assignment]


def entry_points_problem(content: bytes) -> str | None:
    """Say what is wrong with ``content``: a command's name becomes that of a file in a directory of programs."""
    parser = _Parser(delimiters=("=",), interpolation=None)
    try:
        parser.read_string(content.decode())
    except (UnicodeDecodeError, configparser.Error) as e:
        return shorten(str(e), 200)
    for section in ("console_scripts", "gui_scripts"):
        if parser.has_section(section):
            for name in parser[section]:
                if _COMMAND.fullmatch(name) is None or not name.strip("."):
                    return f"{shorten(name)} is no name of a command"
    return None
