"""``python -m portal.cli`` is ``drydock``."""

from portal.cli import main

main()
