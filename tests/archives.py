"""Archives to classify, and what became of them."""

import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imgsort.workspace.workspace import Workspace


def pictures(folder: Path, number: int, first: int = 0) -> list[Path]:
    """Small JPEGs, each of its own content, twenty a folder."""
    paths = []
    for n in range(first, first + number):
        path = folder / f"{n // 20:03d}" / f"{n:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(n).integers(0, 255, (4, 4, 3), np.uint8)
        Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC).save(path, quality=90)
        paths.append(path)
    return paths


def in_units_of(workspace: Workspace, pictures: int, more: str = "") -> Workspace:
    """The same workspace with small units."""
    with workspace.config_file.open("a") as file:
        file.write(f"\n[decode]\nworkers = 2\n[backfill]\nunit_images = {pictures}\n{more}")
    return Workspace.open(workspace.root)


def rows(workspace: Workspace, job: str) -> list[dict[str, Any]]:
    """Every row of a job's parts, by path."""
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = []
    for path in sorted((workspace.backfill / job / "parts").glob("part-*.parquet")):
        found += pq.read_table(path).to_pylist()
    return sorted(found, key=lambda row: row["path_bytes"])


def each_once(workspace: Workspace, job: str, paths: list[Path]) -> bool:
    """Has every picture one row, and nothing else one?"""
    named = Counter(row["path_bytes"] for row in rows(workspace, job))
    return named == Counter(os.fsencode(path) for path in paths)


def torn(workspace: Workspace, job: str) -> list[str]:
    """Files that a killed run left."""
    folder = workspace.backfill / job / "parts"
    return [path.name for path in folder.iterdir() if not path.name.startswith("part-")]


def query(workspace: Workspace, statement: str) -> list[Any]:
    with closing(sqlite3.connect(workspace.database)) as database:
        return database.execute(statement).fetchall()
