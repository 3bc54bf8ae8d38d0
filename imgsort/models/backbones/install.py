"""Put a backbone into a workspace: weights read, graph converted, written whole or not at all."""

import hashlib
import os
import shutil
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgsort.disk.durable import replace_file, sync_folder, write_synced
from imgsort.errors import ModelProblem
from imgsort.images import PREPROCESSING
from imgsort.models.backbones.heavy_imports import import_openvino
from imgsort.models.backbones.on_disk import CARD, GRAPH, HEAD, WEIGHTS, Card, InstalledBackbone
from imgsort.models.backbones.spec import BackboneSpec, Floats, Weights, fill, random_weights


def install_spec(
    spec: BackboneSpec, folder: Path, weights: Path | None, *, random: bool
) -> InstalledBackbone:
    """Read the weights and make ``folder/<id>/`` unless it is there already and undamaged."""
    found = random_weights(spec) if random else spec.read_weights(weights)
    return install_weights(spec, found, folder)


def install_weights(spec: BackboneSpec, found: Weights, folder: Path) -> InstalledBackbone:
    """Make ``folder/<id>/`` of weights that were read, unless it is there already and undamaged."""
    backbone_id = identify(spec, found)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        standing = InstalledBackbone.open(folder, backbone_id)
        standing.verified(WEIGHTS)
    except ModelProblem:
        return _write(spec, found, folder, backbone_id)
    if found.head is not None and standing.imagenet_head() is None:
        return _add_head(standing, found.head, found.source)
    return standing


def identify(spec: BackboneSpec, weights: Weights) -> str:
    """``resnet50-1a2b3c4d5e6f``: the same id means that embeddings can be compared.

    The ImageNet head is left out: it changes no embedding.
    """
    digest = hashlib.sha256(f"{spec.name} {spec.input_size} {PREPROCESSING}\n".encode())
    for layer in spec.layers:
        digest.update(f"mean {layer.name} {layer.channels}\n".encode())
    for name, values in sorted(weights.body.items()):
        digest.update(f"{name} {values.shape} {values.dtype}\n".encode())
        digest.update(np.ascontiguousarray(values).data)
    return f"{spec.name}-{digest.hexdigest()[:12]}"


def _write(spec: BackboneSpec, weights: Weights, folder: Path, name: str) -> InstalledBackbone:
    """Build in a temporary folder beside the final one, then rename."""
    target = folder / name
    staging = Path(tempfile.mkdtemp(prefix=".installing-", dir=folder))
    try:
        staging.chmod(0o755)
        _write_files(spec, weights, staging)
        files = {file.name: _sha256(file) for file in sorted(staging.iterdir())}
        card = Card(
            id=name,
            name=spec.name,
            input_size=spec.input_size,
            width=spec.width,
            preprocessing=PREPROCESSING,
            weights=weights.source,
            files=files,
            final=spec.final,
            inner=spec.inner,
            extends=identify(spec.final_only(), weights) if spec.inner else None,
        )
        for file in files:
            _sync(staging / file)
        write_synced(staging / CARD, card.rendered())
        sync_folder(staging)
        _put_in_place(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return InstalledBackbone.open(folder, name)


def _put_in_place(staging: Path, target: Path) -> None:
    """Rename; what stands there is damaged, or else it would have been opened."""
    aside = staging.with_name(f"{staging.name}-replaced")
    if target.exists():
        target.rename(aside)
    staging.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _write_files(spec: BackboneSpec, weights: Weights, staging: Path) -> None:
    import safetensors.numpy

    model = spec.build()
    fill(model, weights.body)
    _convert(model, staging / GRAPH)
    (staging / WEIGHTS).write_bytes(safetensors.numpy.save(dict(weights.body)))
    if weights.head is not None:
        (staging / HEAD).write_bytes(safetensors.numpy.save(_head_tensors(weights.head)))


def _head_tensors(head: tuple[Floats, Floats]) -> dict[str, Floats]:
    weight, bias = head
    return {"weight": np.ascontiguousarray(weight), "bias": np.ascontiguousarray(bias)}


def _convert(model: Any, path: Path) -> None:
    """Write OpenVINO's form, model.xml and model.bin, in float32.

    OpenVINO's default halves the weights on disk, and the error grows from 1e-5 to 1e-2. Raises
    ModelProblem where the disk has no room for it.
    """
    openvino = import_openvino()
    with warnings.catch_warnings():
        # OpenVINO traces the model with a tuple where Keras expects the bare tensor; it is told so.
        warnings.filterwarnings("ignore", "The structure of `inputs` doesn't match", UserWarning)
        converted = openvino.convert_model(model)
    try:
        openvino.save_model(converted, path, compress_to_fp16=False)
    except RuntimeError as problem:
        raise ModelProblem(
            f"The backbone can't be written to {path.parent.parent}; make room there, then try "
            f"again."
        ) from problem


def _add_head(
    standing: InstalledBackbone, head: tuple[Floats, Floats], source: str
) -> InstalledBackbone:
    """The same backbone was installed from a file without top; now its ImageNet head is known."""
    import safetensors.numpy

    replace_file(standing.path / HEAD, safetensors.numpy.save(_head_tensors(head)))
    files = {**standing.card.files, HEAD: _sha256(standing.path / HEAD)}
    card = replace(standing.card, weights=source, files=files)
    replace_file(standing.path / CARD, card.rendered())
    return InstalledBackbone.open(standing.path.parent, standing.id)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
