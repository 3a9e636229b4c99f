"""The command. Parses, prints, and leaves all work to others; imports of the parts wait until they are needed."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from scenewatch.cli import (
    alarms,
    backtest,
    backup,
    check,
    commands,
    doctor,
    export,
    inventory,
    journal,
    ledger,
    letters,
    rehearse,
    rules,
    run,
    secrets,
    settings,
)
from scenewatch.cli.words import FOUND, MISUSED, Parser, complain
from scenewatch.model.errors import ConfigurationError, ScenewatchError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


GROUPS = (
    run,
    settings,
    secrets,
    check,
    doctor,
    rules,
    rehearse,
    backtest,
    inventory,
    alarms,
    commands,
    ledger,
    letters,
    journal,
    export,
    backup,
)
"""In the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 well, 1 found something or failed, 2 used wrongly. Errors go to standard error."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` has; what is still buffered must not fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    except ConfigurationError as error:
        for mistake in error.mistakes:
            complain(str(mistake))
        return MISUSED
    except ScenewatchError as error:
        complain(str(error))
        return FOUND
    except OSError as error:
        complain(str(error))
        return FOUND
    except KeyboardInterrupt:
        return FOUND
    return status


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="scenewatch",
        description="Trustworthy readings, few alarms and rehearsals for city sensors on MQTT.",
        epilog="example: scenewatch up --sites 10",
    )
    parts = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for group in GROUPS:
        group.add_commands(parts)
    return parser
