"""The log as a Camera Trap Data Package (Camtrap DP 1.0.2, https://camtrap-dp.tdwg.org)."""

from imgsort.export.camtrap.package import Exported, write_package

__all__ = ["Exported", "write_package"]
