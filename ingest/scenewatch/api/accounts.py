"""The ledger by site and by device as JSON; whatever is left out of the rows is in `unassigned`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scenewatch.model.ledger import Fate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from scenewatch.api.views import AccountsView, View

Json = dict[str, Any]
COLUMNS = (*(fate.name.lower() for fate in Fate), "pending", "missing")


def by_site(view: View) -> Json:
    accounts = view.accounts()
    rows, others = _device_rows(view, accounts), _other_rows(accounts)
    sites = others[1:].copy()
    np.add.at(sites, accounts.site_of, rows)
    found: list[Json] = []
    for site, row, strangers in zip(accounts.sites, sites, others[1:], strict=True):
        scene, _, name = site.partition(".")
        about = {"id": site, "scene": scene, "site": name, "unassigned": _received(strangers)}
        found.append(about | _account(row))
    found.sort(key=lambda one: one["id"])
    return {"total": _sum(sites, others[:1]), "sites": found, "unassigned": _account(others[0])}


def by_device(view: View, site: str | None) -> Json:
    """Of one site, or of all. Devices that are in the inventory no more are told while they have anything."""
    accounts = view.accounts()
    registry = view.registry
    rows, others = _device_rows(view, accounts), _other_rows(accounts)
    places = [k for k, name in enumerate(accounts.sites) if site is None or site in _names(name)]
    wanted = np.flatnonzero(np.isin(accounts.site_of, places)).tolist()
    unassigned = others if site is None else others[[k + 1 for k in places]]
    found = [
        {"id": d.id, "scene": d.scene, "site": d.site, "device": d.device, "active": registry.active[n]}
        | _account(rows[n])
        for n, d in ((n, registry.devices[n]) for n in wanted)
        if registry.active[n] or rows[n].any()
    ]
    return {"total": _sum(rows[wanted], unassigned), "devices": found, "unassigned": _sum(unassigned)}


def _device_rows(view: View, accounts: AccountsView) -> NDArray[np.int64]:
    """A row a device, of COLUMNS."""
    missing = np.array([view.missing(n) for n in range(len(accounts.devices))], np.int64)
    return np.column_stack((accounts.devices, accounts.pending, missing))


def _other_rows(accounts: AccountsView) -> NDArray[np.int64]:
    rows = np.column_stack((accounts.others, accounts.others_pending, np.zeros(len(accounts.others), np.int64)))
    rows[0, COLUMNS.index("pending")] += accounts.unread
    return rows


def _names(site_id: str) -> tuple[str, str]:
    return site_id, site_id.partition(".")[2]


def _sum(*parts: NDArray[np.int64]) -> Json:
    return _account(np.sum([part.sum(axis=0) for part in parts], axis=0))


def _account(row: Iterable[np.int64]) -> Json:
    account: Json = dict(zip(COLUMNS, (int(n) for n in row), strict=True))
    return {"received": _messages(account)} | account


def _received(row: Iterable[np.int64]) -> int:
    received: int = _account(row)["received"]
    return received


def _messages(account: Json) -> int:
    return sum(account[name] for name in ("stored", "duplicate", "dead", "pending"))
