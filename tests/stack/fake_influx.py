"""The `influx` command as far as ingest/stack/influxdb-setup.sh uses it; buckets and tokens live in a JSON file.

Options it does not know are mistakes, as in the real one, which cannot be built here.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

STATE = Path(os.environ["FAKE_INFLUX"])
COLUMNS = "\t\t"


def main() -> None:
    state = json.loads(STATE.read_text()) if STATE.exists() else {"buckets": {}, "tokens": {}, "made": 0}
    if os.environ["INFLUX_TOKEN"] != os.environ["FAKE_INFLUX_TOKEN"]:
        sys.exit("Error: unauthorized access")
    parser = argparse.ArgumentParser(allow_abbrev=False)
    things = parser.add_subparsers(dest="thing", required=True)
    bucket = things.add_parser("bucket").add_subparsers(dest="verb", required=True)
    auth = things.add_parser("auth").add_subparsers(dest="verb", required=True)
    for one in (bucket, auth):
        listing = one.add_parser("list")
        listing.add_argument("--hide-headers", action="store_true")
    bucket.choices["list"].add_argument("--limit", type=int)
    making = bucket.add_parser("create")
    making.add_argument("--name", required=True)
    making.add_argument("--hide-headers", action="store_true", required=True)
    making.add_argument("--retention", required=True)
    making = auth.add_parser("create")
    making.add_argument("--description", required=True)
    making.add_argument("--json", action="store_true")
    making.add_argument("--read-bucket", action="append", default=[])
    making.add_argument("--write-bucket", action="append", default=[])
    auth.add_parser("delete").add_argument("--id", required=True)
    options = parser.parse_args()
    {"bucket": of_buckets, "auth": of_tokens}[options.thing](options, state)
    STATE.write_text(json.dumps(state))


def of_buckets(options, state) -> None:
    if options.verb == "list":
        for name, one in state["buckets"].items():
            say(one["id"], name, one["retention"], "n/a", "0a0b", "implicit")
        return
    if options.name in state["buckets"]:
        sys.exit(f"Error: bucket with name {options.name} already exists")
    state["made"] += 1
    made = {"id": f"b{state['made']:015x}", "retention": options.retention}
    state["buckets"][options.name] = made
    say(made["id"], options.name, made["retention"], "n/a", "0a0b", "implicit")


def of_tokens(options, state) -> None:
    if options.verb == "list":
        for number, one in state["tokens"].items():
            say(number, one["description"], "", "admin", "0a0c", one["reads"])
        return
    if options.verb == "delete":
        del state["tokens"][options.id]
        return
    state["made"] += 1
    token = f"token-{state['made']}-of=="
    one = {"description": options.description, "reads": options.read_bucket, "writes": options.write_bucket}
    state["tokens"][f"a{state['made']:015x}"] = one | {"token": token}
    print(json.dumps({"id": "a", "description": options.description, "token": token}, indent="\t"))  # noqa: T201


def say(*cells: object) -> None:
    print(COLUMNS.join(map(str, cells)))  # noqa: T201  # it stands for a command


if __name__ == "__main__":
    main()
