"""The families of checks, by name and title."""

from __future__ import annotations

from collections.abc import Mapping

FAMILIES: Mapping[str, str] = {
    "repository": "Repository",
    "documentation": "Documentation",
    "layout": "Layout",
    "packaging": "Packaging",
    "style": "Style",
    "modularity": "Modular code",
    "pipelines": "Pipelines",
    "types": "Types",
    "tests": "Tests",
    "ci": "Continuous integration",
    "lineage": "Lineage",
    "reports": "Reports",
    "deployment": "Deployment",
    "security": "Security",
}
"""Title by family, in the order in which reports show them."""

WEIGHTS: Mapping[str, int] = {
    "repository": 80,
    "documentation": 95,
    "layout": 55,
    "packaging": 85,
    "style": 75,
    "modularity": 135,
    "pipelines": 115,
    "types": 50,
    "tests": 125,
    "ci": 60,
    "lineage": 30,
    "reports": 20,
    "deployment": 45,
    "security": 30,
}
"""Points of 1000 by family, where no challenge says otherwise."""
