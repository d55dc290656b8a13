"""Drydock's grader: one submission in, one report out."""
