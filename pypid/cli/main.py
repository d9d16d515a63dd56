"""The list of pypid's commands."""

from __future__ import annotations

from importlib import import_module

import click

import pypid

COMMANDS = {
    "audit": "pypid.cli.audit:audit",
    "block": "pypid.cli.marking:block",
    "cert": "pypid.cli.cert:cert",
    "check": "pypid.cli.check:check",
    "check-config": "pypid.cli.check_config:check_config",
    "delete": "pypid.cli.delete:delete",
    "gc": "pypid.cli.gc:gc",
    "offline": "pypid.cli.offline:offline",
    "rebuild": "pypid.cli.rebuild:rebuild",
    "retain": "pypid.cli.retain:retain",
    "show": "pypid.cli.show:show",
    "status": "pypid.cli.status:status",
    "token": "pypid.cli.token:token",
    "unblock": "pypid.cli.marking:unblock",
    "unyank": "pypid.cli.marking:unyank",
    "user": "pypid.cli.user:user",
    "warm": "pypid.cli.warm:warm",
    "yank": "pypid.cli.marking:yank",
}
"""Where each command is. Imported when it is used, so that one need not pay for what another imports."""


class Commands(click.Group):
    """The commands of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.command(cls=Commands)
@click.version_option(pypid.__version__, prog_name="pypid", message="%(prog)s %(version)s")
def main() -> None:
    """Look after a pypid: a private Python package index and a caching mirror of PyPI.

    The daemon itself is started with: twistd pypid
    """


if __name__ == "__main__":
    main(prog_name="pypid")
