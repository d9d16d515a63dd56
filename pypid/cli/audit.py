"""``pypid audit``: who did what to what is published."""

from __future__ import annotations

import click
import msgspec

from pypid.cli.api import ApiClient
from pypid.cli.printable import printable
from pypid.cli.reach import reaches_pypid
from pypid.domain.audit import Event
from pypid.domain.reports import AuditReport


@click.command()
@click.option("--newest", type=click.IntRange(1, 1000), metavar="N", help="The last N events. [default: 20]")
@click.option("--after", type=click.IntRange(0), metavar="SERIAL", help="All events after that change.")
@click.option("--json", "as_json", is_flag=True, help="An event a line, as the log has it.")
@reaches_pypid
def audit(api: ApiClient, newest: int | None, after: int | None, *, as_json: bool) -> None:
    """Show who published, yanked and deleted what.

    Of all indexes: uploads, yanks and blocks, deletions, new statuses, and what took them back.
    """
    if newest is not None and after is not None:
        raise click.UsageError("Give --newest or --after, not both.")
    if after is None:
        report = api.ask("GET", "audit", AuditReport, query={"newest": newest or 20})
        _show(report, as_json=as_json)
        return
    serial: int | None = after
    while serial is not None:
        report = api.ask("GET", "audit", AuditReport, query={"after": serial, "limit": 1000})
        _show(report, as_json=as_json)
        serial = report.last_serial


def _show(report: AuditReport, *, as_json: bool) -> None:
    for event in report.events:
        click.echo(msgspec.json.encode(event) if as_json else printable(_line(event)))


def _line(event: Event) -> str:
    who = event.user if event.address is None else f"{event.user} from {event.address}"
    what = event.filename or (f"{event.project} {event.version}" if event.version else event.project)
    done = f"{event.action.value} {event.status}" if event.status else event.action.value
    said = f"{event.serial} {event.time} {who}: {done} {what} in {event.index}"
    return f"{said}: {event.reason}" if event.reason else said
