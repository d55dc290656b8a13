"""The portal's front door: the pages, by role."""

from portal.pages.common import run

run()
