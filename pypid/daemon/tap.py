"""`twistd pypid`: the options and the service; the only module that imports the reactor."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

from pypid import failpoints
from pypid.config import Config, ConfigError, load_config
from pypid.daemon.failure import StartFailed
from pypid.daemon.service import Daemon

_log = Logger()


class Options(usage.Options):
    """What can be given on the command line; all else is in the configuration file."""

    optParameters = [  # noqa: RUF012 (usage.Options reads it from the class)
        ["config", "c", None, "The configuration file. [default: /etc/pypid.conf, else the built-in settings]"],
    ]
    longdesc = "A private Python package index and a caching mirror of PyPI."

    def postOptions(self) -> None:
        """Read the configuration, while there is still a terminal to say what is wrong with it."""
        given = self["config"] or os.environ.get("PYPID_CONFIG")
        # Absolute, since twistd changes its directory, and a reload reads it again.
        self.path = Path(given).absolute() if given else None
        self.directory = Path.cwd()
        try:
            self.config = self.load()
            self._arm_failpoints(os.environ.get(failpoints.VARIABLE, ""))
        except ConfigError as e:
            sys.stderr.writelines(f"{problem}\n" for problem in e.problems)
            raise SystemExit(os.EX_CONFIG) from e

    @staticmethod
    def _arm_failpoints(given: str) -> None:
        try:
            failpoints.arm(given)
        except ValueError as e:
            raise ConfigError([str(e)]) from e
        if given:
            _log.critical("THIS PYPID BREAKS ON PURPOSE: {variable}={given}", variable=failpoints.VARIABLE, given=given)

    def load(self) -> Config:
        """Return the configuration as it is now. Raises `ConfigError`."""
        return load_config(self.path, os.environ, directory=self.directory)


def makeService(options: Options) -> IService:
    """Build the daemon; nothing is opened before it starts."""
    from twisted.internet import reactor  # noqa: PLC0415 (importing it installs it)

    twistd: Mapping[str, object] = options.parent or {}
    daemonizes = not twistd.get("nodaemon", True)

    def give_up(reason: StartFailed) -> None:
        _log.critical("{reason}", reason=str(reason))
        if daemonizes:
            raise reason  # twistd tells the terminal, through its pipe
        if sys.__stderr__ is not None:  # the terminal: twistd has put its log in the place of sys.stderr
            sys.__stderr__.write(f"pypid: {reason}\n")
        raise SystemExit(reason.code)

    return cast(IService, Daemon(cast(Any, reactor), options.config, load=options.load, give_up=give_up))
