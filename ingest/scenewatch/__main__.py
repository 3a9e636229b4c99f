"""`python -m scenewatch`, the same as the command."""

import sys

from scenewatch.cli import main

sys.exit(main())
