"""This module contains the code."""
