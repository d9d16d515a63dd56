"""Showing how a warm-up gets on."""

from __future__ import annotations

import sys
from typing import Protocol

import click

from pypid.cli.index_reader import Got
from pypid.cli.warm_report import show_size


class Progress(Protocol):
    """Told of everything as it happens."""

    def got(self, got: Got) -> None: ...

    def tick(self, done: int, total: int, received: int) -> None:
        """Several times a second: requests that are done, requests that are known of, bytes of their answers."""

    def end(self) -> None: ...


class Quiet:
    """Shows nothing."""

    def got(self, got: Got) -> None:
        pass

    def tick(self, done: int, total: int, received: int) -> None:
        pass

    def end(self) -> None:
        pass


class Lines(Quiet):
    """A line for each file, for logs."""

    def got(self, got: Got) -> None:
        click.echo(f"{got.file.filename}: {'already there' if got.already_there else show_size(got.read)}")


class Bar(Quiet):
    """A bar on the terminal; how long it will be is not known at first."""

    def __init__(self) -> None:
        steps: tuple[int, ...] = ()
        self._bar = click.progressbar(
            steps,
            length=1,
            label="Warming",
            show_eta=False,
            show_pos=True,
            item_show_func=lambda received: show_size(received or 0),
            file=sys.stderr,
        )

    def tick(self, done: int, total: int, received: int) -> None:
        self._bar.length, self._bar.pos, self._bar.current_item = max(total, 1), done, received
        self._bar.render_progress()

    def end(self) -> None:
        self._bar.render_finish()
