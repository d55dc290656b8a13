"""What git runs on a push; each is a program of its own, made of the standard library alone."""
