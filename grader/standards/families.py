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
