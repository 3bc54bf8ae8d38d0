"""``python -m imgsort``: the same as ``imgsort``."""

from imgsort.cli import main

if __name__ == "__main__":
    main()
