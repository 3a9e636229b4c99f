"""On disk before the broker hears of it: stands between `source` and `decode`; its outbox stands before `store`."""
