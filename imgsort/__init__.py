"""imgsort: a folder-watching image classifier that learns from its user."""

__version__ = "0.1.0"
