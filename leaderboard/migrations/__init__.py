"""Alembic's way from each version of the tables to the next."""
