"""The worker's HTTP face: `/api/v1`, health and metrics. The last stage: it reads views, and changes nothing."""
