"""An installed package that brings models by entry point, as pip would leave it."""

from __future__ import annotations

from pathlib import Path


def install(place: Path, name: str, source: str, *, value: str | None = None) -> None:
    """Put a package of one module, or a newer release of it, into a folder of the path."""
    (place / f"{name}.py").write_text(source)
    metadata = place / f"{name}-1.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    points = f"[docreactor.models]\n{name} = {value or name}\n"
    (metadata / "entry_points.txt").write_text(points)
