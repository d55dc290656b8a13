"""A Python port of the legacy model behind the challenge 'r-health-tariff'."""

__version__ = "0.1.0"
