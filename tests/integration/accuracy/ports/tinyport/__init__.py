"""A port that is right in everything, as small as that can be."""
