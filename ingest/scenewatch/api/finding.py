"""Which device and which sites a question means: by their full ids, or by the last part where that will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import HTTPException, Query

if TYPE_CHECKING:
    from scenewatch.api.views import View

SiteFilter = Annotated[str | None, Query(description="`scene.site`, or the site alone")]


def find_device(view: View, device: str) -> int:
    """Number of a device by its full id, or by its own id where one site alone has it. Raises 404."""
    registry = view.registry
    number = registry.number(device)
    if number is not None:
        return number
    own_ids = (device_id.rpartition(".")[2] for device_id in registry.ids)
    named = [n for n, own_id in enumerate(own_ids) if own_id == device and registry.active[n]]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(registry.ids[n] for n in named[:5])
        raise HTTPException(404, f"{device!r} is not unique: say which, such as {ids}")
    raise HTTPException(404, f"no device {device!r}; see /api/v1/devices")


def find_sites(view: View, site: str) -> set[str]:
    """Ids of the sites that are called so: one of each scene at most."""
    return {d.site_id for d in view.registry.devices if site in (d.site_id, d.site)}
