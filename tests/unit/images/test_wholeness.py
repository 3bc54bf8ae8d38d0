"""A file that is still being saved lacks its end."""

import io

import pytest
from PIL import Image

from imgsort.images.wholeness import lacks_its_end


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_half_a_picture_lacks_its_end(kind: str) -> None:
    """The whole doesn't, also with a few bytes behind it; of other formats nothing is known."""
    file = io.BytesIO()
    Image.effect_noise((200, 160), 90).save(file, kind)
    whole = file.getvalue()
    for content, expected in (
        (whole, False),
        (whole + b"\0" * 64, False),
        (whole[: len(whole) // 2], True),
        (whole[:-100], True),
        (b"GIF89a", False),
        (b"", False),
    ):
        assert lacks_its_end(content[:16], content[-4096:], len(content)) == expected
