"""Make the int8 form of a backbone's graph: post-training quantization by nncf."""

import io
from contextlib import redirect_stdout
from pathlib import Path

from imgsort.errors import RuntimeUnavailable
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.heavy_imports import import_nncf, import_openvino
from imgsort.models.backbones.on_disk import GRAPH
from imgsort.models.runtimes.base import Images
from imgsort.models.runtimes.choice import has_vnni


def require_quantizer() -> None:
    """Raises RuntimeUnavailable where nncf is not installed."""
    import_nncf()


def quantize_graph(backbone: InstalledBackbone, pictures: Images, folder: Path) -> Path:
    """Write ``folder/model.xml`` and ``.bin``; the ranges of int8 are those that ``pictures`` need.

    Raises RuntimeUnavailable where nncf is not installed.
    """
    nncf, openvino = import_nncf(), import_openvino()
    fix = nncf.OverflowFix.DISABLE if has_vnni() else nncf.OverflowFix.FIRST_LAYER
    graph = openvino.Core().read_model(backbone.verified(GRAPH))
    with redirect_stdout(io.StringIO()):  # its progress bars; stdout belongs to results
        made = nncf.quantize(
            graph,
            nncf.Dataset(list(pictures), lambda picture: picture[None]),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(pictures),
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
        )
    path = folder / "model.xml"
    try:
        openvino.save_model(made, path, compress_to_fp16=False)
    except RuntimeError as problem:
        raise RuntimeUnavailable(
            f"The int8 form can't be written to {folder.parent}; make room there, then try again."
        ) from problem
    return path
