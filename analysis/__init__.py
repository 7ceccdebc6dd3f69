"""Bellwether: honest tests of whether US small caps lead Bitcoin and altcoins, with reproducible reports."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("bellwether-research")
except PackageNotFoundError:  # running from a source tree that was not installed
    __version__ = "0+unknown"
