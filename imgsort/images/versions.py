"""Versions of the decoders that come inside other packages."""


def libheif_version() -> str:
    """Of the libheif that pillow-heif brings. Raises ImportError."""
    import pillow_heif

    return str(pillow_heif.libheif_version())
