"""`ledger`: what a running worker says has become of every message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.cli.asking import add_worker, asked, worker_url
from scenewatch.cli.words import FOUND, WELL, add, add_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scenewatch.api.shapes import Account, Ledger
    from scenewatch.cli.words import Subparsers

COLUMNS = ("received", "stored", "duplicate", "dead", "pending", "missing", "reused")
BALANCED = "balanced: every message is accounted for"


def add_commands(commands: Subparsers) -> None:
    text = "ask a running worker whether every message is accounted for; status 1 while any is pending"
    p = add(commands, "ledger", _ledger, text, "scenewatch ledger --worker http://127.0.0.1:8080 --by site")
    p.add_argument(
        "--by", choices=("site", "device"), default=None, help="one line a site, or a device, and their sum"
    )
    add_worker(p)
    add_json(p)


def _ledger(options: argparse.Namespace) -> int:
    show = _show_whole if options.by is None else _show_rows
    return show(f"{worker_url(options)}/api/v1/ledger", options)


def _show_whole(url: str, options: argparse.Namespace) -> int:
    from scenewatch.api.shapes import Ledger
    from scenewatch.cli.show import put_json

    ledger = asked(url, Ledger)
    complaint = _complaint(ledger)
    if options.json is not None:
        put_json(ledger.model_dump(), options.json)
    else:
        _show(ledger, complaint or BALANCED)
    return FOUND if complaint else WELL


def _show_rows(url: str, options: argparse.Namespace) -> int:
    from scenewatch.api.shapes import DeviceAccounts, SiteAccounts
    from scenewatch.cli.show import printable, put_json, table

    accounts: SiteAccounts | DeviceAccounts
    rows: Sequence[Account]
    if options.by == "site":
        sites = asked(f"{url}/sites", SiteAccounts)
        accounts, rows, ids = sites, sites.sites, [site.id for site in sites.sites]
    else:
        devices = asked(f"{url}/devices", DeviceAccounts)
        accounts, rows, ids = devices, devices.devices, [device.id for device in devices.devices]
    whole = (*rows, accounts.unassigned)
    adds_up = all(sum(getattr(row, name) for row in whole) == getattr(accounts.total, name) for name in COLUMNS)
    complaint = _complaint(accounts.total) if adds_up else f"not balanced: the {options.by}s are not the whole"
    if options.json is not None:
        put_json(accounts.model_dump(), options.json)
    else:
        named = zip([*map(printable, ids), "unassigned", "total"], (*whole, accounts.total), strict=True)
        lines = [(name, *(f"{getattr(row, column):,}" for column in COLUMNS)) for name, row in named]
        table((options.by, *COLUMNS), lines)
        print(complaint or BALANCED)
    return FOUND if complaint else WELL


def _complaint(ledger: Ledger | Account) -> str | None:
    accounted = ledger.stored + ledger.duplicate + ledger.dead + ledger.pending
    if ledger.received != accounted:
        return f"not balanced: {ledger.received} received, {accounted} accounted for"
    if ledger.pending:
        return f"{ledger.pending} pending: on their way to the store"
    return None


def _show(ledger: Ledger, verdict: str) -> None:
    from scenewatch.cli.show import iso, printable

    for name in ("received", "stored", "duplicate", "dead", "pending"):
        print(f"{name:<10}{getattr(ledger, name):>16,}")
    journal, source, store = ledger.journal, ledger.source, ledger.store
    lost = f", {journal.lost:,} positions lost to damage" if journal.lost else ""
    print(f"journal   {printable(journal.state)}, head {journal.head:,}, {journal.bytes:,} bytes{lost}")
    print(f"source    {printable(source.state)}, since {iso(source.since)}")
    print(f"store     {printable(store.state)}, position {store.position:,}")
    print(verdict)
