"""Names of files as they may be shown."""

import os
from pathlib import Path

import pytest

from imgsort.disk.display import display


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"cat.jpg", "cat.jpg"),
        ("Kätzchen 猫.jpg".encode(), "Kätzchen 猫.jpg"),
        (b"caf\xe9.jpg", "caf\\xe9.jpg"),
        (b"a\nb\tc.jpg", "a\\nb\\tc.jpg"),
        (b"\x1b[31mred\x7f", "\\x1b[31mred\\x7f"),
        ("a\u202egpj.exe".encode(), "a\\u202egpj.exe"),
        ("a\u2028b\u200b".encode(), "a\\u2028b\\u200b"),
        ("\U000e0041".encode(), "\\U000e0041"),
    ],
)
def test_a_name_is_one_line_that_obeys_nobody(name: bytes, expected: str) -> None:
    """Bytes that aren't UTF-8, controls and what reorders text are escaped; the rest is kept."""
    assert display(name) == expected
    assert display(Path(os.fsdecode(name))) == expected
