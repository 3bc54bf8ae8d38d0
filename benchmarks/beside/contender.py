"""Who takes part, by which program, and what each leaves out."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the table."""

    name: str
    program: str
    """In ``programs/``, or an absolute path."""
    network: str
    precision: str
    leaves_out: str
    """Of what imgsort does: read, hash, decode, resize, judge, record, file, fsync."""
    settings: dict[str, Any] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    """What pip installs for it, into a virtual environment that contenders share; none: it runs
    where imgsort does."""
    gigabytes: float = 0.0
    """Of disk that those take, roughly."""
    times: int = 1
    """It gets every picture so often, each time as another content: a round takes seconds."""


RESNET, LITE = "ResNet50", "efficientnet-lite0"
_TIMES = {RESNET: 1, LITE: 4}
_TORCH = ("torch", "torchvision")
_TORCH_GB = 7.0
_NOTHING_KEPT = "hashing, a log, filing"


def _imgsort(network: str, precision: str) -> Contender:
    return Contender(
        f"imgsort, {precision}",
        "imgsort_daemon.py",
        network,
        precision,
        "nothing",
        {**_weights(network), "precision": precision},
        times=_TIMES[network],
    )


def _bare(network: str) -> Contender:
    return Contender(
        "the bare network (OpenVINO)",
        "bare_network.py",
        network,
        "float32",
        "all but the network: pixels lie in memory",
        _weights(network),
        times=_TIMES[network],
    )


def _weights(network: str) -> dict[str, Any]:
    """Speed doesn't depend on them; those of ResNet50 aren't at hand everywhere."""
    return {"backbone": network.lower(), "random_weights": network == RESNET}


def _torch(name: str, *, compiled: bool) -> Contender:
    return Contender(
        name,
        "torch_loader.py",
        RESNET,
        "float32",
        _NOTHING_KEPT,
        {"compiled": compiled},
        _TORCH,
        _TORCH_GB,
    )


CONTENDERS = (
    _imgsort(RESNET, "float32"),
    _imgsort(RESNET, "int8 first"),
    _bare(RESNET),
    Contender(
        "Keras predict, image_dataset_from_directory",
        "keras_predict.py",
        RESNET,
        "float32",
        _NOTHING_KEPT,
    ),
    _torch("PyTorch, DataLoader", compiled=False),
    _torch("PyTorch, torch.compile, DataLoader", compiled=True),
    Contender(
        "ONNX Runtime, Pillow in threads",
        "onnx_runtime.py",
        RESNET,
        "float32",
        _NOTHING_KEPT,
        {},
        (*_TORCH, "onnx", "onnxscript", "onnxruntime"),
        _TORCH_GB,
    ),
    Contender(
        "Ultralytics classify on a folder",
        "ultralytics_folder.py",
        RESNET,
        "float32",
        _NOTHING_KEPT,
        {},
        (*_TORCH, "ultralytics"),
        _TORCH_GB,
    ),
    Contender(
        "watchdog script, one picture at a time",
        "watchdog_script.py",
        RESNET,
        "float32",
        "hashing, a log, fsync",
    ),
    _imgsort(LITE, "float32"),
    _imgsort(LITE, "int8 first"),
    _bare(LITE),
)
