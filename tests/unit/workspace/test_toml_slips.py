"""Mistakes in config.toml are told in plain words."""

from pathlib import Path

import pytest

from imgsort.errors import ConfigProblem
from imgsort.workspace.config import load_config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[model]\nconfidence = 0,7\n", "line 2: write confidence = 0.7, with a point."),
        (
            "[model]\nconfidence = 0.7\n\nconfidence = 0.8 # no, this\n",
            "line 4: confidence is there twice (line 2 too); remove one.",
        ),
        (
            "[model]\ntop_k = 5\n[log]\nlevel = 'info'\n[model]\ndevice = 'cpu'\n",
            "line 5: [model] is there twice (line 1 too); put its keys together.",
        ),
        ("[filing]\nmode = copy\n", 'line 2: write mode = "copy", in quotation marks.'),
        ("[backup]\ndaily = True\n", "line 2: write daily = true, in small letters."),
        (
            "[model]\nconfidence 0.7\n",
            "is not valid TOML: Expected '=' after a key in a key/value pair (at line 2, column "
            "12); correct that line.",
        ),
    ],
)
def test_a_slip_gets_its_sentence(tmp_path: Path, text: str, said: str) -> None:
    """The line and what to write there; what isn't known keeps the parser's words."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigProblem) as problem:
        load_config(file)
    assert str(problem.value) in {f"{file}: {said}", f"{file} {said}"}


def test_the_same_key_in_two_sections_is_no_slip(tmp_path: Path) -> None:
    """`folder` of one section is not that of another."""
    file = tmp_path / "config.toml"
    file.write_text("[backup]\nkeep = 2\n[retention]\nkeep_models = 2\n[log]\nlevel = 'info'\n")
    assert load_config(file).backup.keep == 2
