"""Both runtimes on real backbones: the right numbers, whatever the batch."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.errors import RuntimeUnavailable
from imgsort.images import ImageLimits, decode
from imgsort.models.backbones import BACKBONES, InstalledBackbone
from imgsort.models.backbones.heavy_imports import import_keras
from imgsort.models.heads.classifier import softmax
from imgsort.models.runtimes import DeviceMemoryExhausted, Runtime, open_runtime
from imgsort.models.runtimes.choice import this_machine
from imgsort.models.runtimes.on_openvino import OpenvinoRuntime
from imgsort.models.runtimes.on_tensorflow import TensorflowRuntime
from imgsort.models.vocabulary import resolve

REPOSITORY = Path(__file__).parents[3]
TOLERANCE = 1e-3


def _pictures(count: int) -> NDArray[np.uint8]:
    """Soft colour clouds with some grain: closer to photographs than noise is."""
    rng = np.random.default_rng(7)
    clouds = rng.integers(0, 256, (count, 7, 7, 3)).repeat(32, axis=1).repeat(32, axis=2)
    grain = rng.normal(0.0, 12.0, (count, 224, 224, 3))
    return (clouds + grain).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def lite0_openvino(lite0: InstalledBackbone) -> Runtime:
    return OpenvinoRuntime(lite0, "float32")


@pytest.fixture(scope="module")
def lite0_tensorflow(lite0: InstalledBackbone) -> TensorflowRuntime:
    return TensorflowRuntime(lite0, "float32", batch_size=16, gpu=False)


@pytest.fixture(scope="module")
def reference(test_data: Path) -> dict[str, NDArray[Any]]:
    with np.load(test_data / "efficientnet_lite0_reference.npz") as file:
        return dict(file)


@pytest.mark.parametrize("runtime_name", ["lite0_openvino", "lite0_tensorflow"])
def test_efficientnet_lite0_matches_the_original(
    lite0: InstalledBackbone,
    reference: dict[str, NDArray[Any]],
    runtime_name: str,
    request: pytest.FixtureRequest,
) -> None:
    """Embedding and logits of 16 pictures equal the published network's to 1e-3."""
    runtime: Runtime = request.getfixturevalue(runtime_name)
    head = lite0.imagenet_head()
    assert head is not None
    embeddings = runtime.embed(reference["images"])[:, : lite0.final]
    np.testing.assert_allclose(embeddings, reference["embedding"], rtol=0, atol=TOLERANCE)
    logits = embeddings @ head[0] + head[1]
    np.testing.assert_allclose(logits, reference["logits"], rtol=0, atol=TOLERANCE)


def test_the_runtimes_agree_on_efficientnet_lite0(
    lite0_openvino: Runtime, lite0_tensorflow: Runtime
) -> None:
    """float32 embeddings of OpenVINO and TensorFlow differ by less than 1e-3."""
    images = _pictures(8)
    np.testing.assert_allclose(
        lite0_openvino.embed(images), lite0_tensorflow.embed(images), rtol=0, atol=TOLERANCE
    )


def test_the_runtimes_agree_on_resnet50(resnet50_random: InstalledBackbone) -> None:
    """The same for ResNet50, whose embedding has the stated width and tells pictures apart.

    Each part of it does: the network's own, and the means of three inner layers.
    """
    images = _pictures(4)
    openvino = OpenvinoRuntime(resnet50_random, "float32").embed(images)
    tensorflow = TensorflowRuntime(resnet50_random, "float32", batch_size=4, gpu=False)
    np.testing.assert_allclose(openvino, tensorflow.embed(images), rtol=0, atol=TOLERANCE)
    assert openvino.shape == (4, 2048 + 256 + 512 + 1024)
    for part in np.split(openvino, [2048, 2048 + 256, 2048 + 256 + 512], axis=1):
        assert np.abs(part[0] - part[1]).max() > 10 * TOLERANCE


def test_inner_layers_are_averaged_in_float32_on_a_gpu(
    lite0: InstalledBackbone, lite0_tensorflow: TensorflowRuntime
) -> None:
    """The network calculates in float16 there, in which a sum over hundreds loses digits."""
    keras = import_keras()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = BACKBONES[lite0.name].build()
    finally:
        keras.config.set_dtype_policy(before)
    kinds = {layer.name: layer.compute_dtype for layer in model.layers}
    assert kinds["block7_depthwise_relu"] == "float16"
    assert {kinds[name] for name in kinds if name.endswith("_mean")} == {"float32"}
    images = _pictures(4)
    half = TensorflowRuntime(lite0, "float16", batch_size=4, gpu=False).embed(images)
    off = np.abs(half - lite0_tensorflow.embed(images))[:, lite0.final :]
    assert off.max() < 0.01 * half.max()


def test_bfloat16_gives_the_same_labels(
    lite0: InstalledBackbone, lite0_openvino: Runtime, test_data: Path
) -> None:
    """On photographs no sure ImageNet label changes, nor whether it is a cat, a dog or a snake."""
    try:
        coarse = OpenvinoRuntime(lite0, "bfloat16")
    except RuntimeUnavailable as reason:
        pytest.skip(str(reason))
    files = sorted((test_data / "cats_dogs_snakes").glob("*/*"))[::2]
    assert len(files) >= 100
    limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
    images = np.stack([decode(file.read_bytes(), 224, limits)[0] for file in files])
    head = lite0.imagenet_head()
    assert head is not None
    exact, rough = (
        softmax(runtime.embed(images)[:, : lite0.final] @ head[0] + head[1])
        for runtime in (lite0_openvino, coarse)
    )
    assert (lite0_openvino.precision, coarse.precision) == ("float32", "bfloat16")
    sure = exact.max(1) > 0.5
    assert sure.sum() >= 30
    assert exact[sure].argmax(1).tolist() == rough[sure].argmax(1).tolist()
    members = resolve(["cat", "dog", "snake"]).groups().T.astype(np.float32)
    same = (exact @ members).argmax(1) == (rough @ members).argmax(1)
    assert same.mean() >= 0.99


@pytest.mark.parametrize("runtime_name", ["lite0_openvino", "lite0_tensorflow"])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 21])
def test_a_batch_equals_its_images_one_by_one(
    runtime_name: str, count: int, request: pytest.FixtureRequest
) -> None:
    """No image's embedding depends on its neighbours or on the size of the batch."""
    runtime: Runtime = request.getfixturevalue(runtime_name)
    images = _pictures(21)[:count]
    together = runtime.embed(images)
    assert together.shape == (count, 4736)
    assert together.dtype == np.float32
    for number in range(count):
        alone = runtime.embed(images[number : number + 1])
        np.testing.assert_allclose(alone[0], together[number], rtol=0, atol=2e-5)


def test_a_picture_seen_through_a_view_is_read_right(lite0_openvino: Runtime) -> None:
    """Mirrored or strided arrays are not contiguous in memory; the numbers are those of a copy."""
    images = _pictures(2)
    mirrored = images[:, :, ::-1]
    expected = lite0_openvino.embed(mirrored.copy())
    assert np.array_equal(expected, lite0_openvino.embed(mirrored))


def test_a_second_start_reads_what_the_first_compiled_and_answers_alike(
    lite0: InstalledBackbone, lite0_openvino: Runtime
) -> None:
    """The compiled model is kept in the backbone's folder."""
    images = _pictures(4)
    expected = lite0_openvino.embed(images)
    blobs = sorted((lite0.path / "cache").glob("*.blob"))
    assert len(blobs) >= 1
    again = OpenvinoRuntime(lite0, "float32")
    assert blobs == sorted((lite0.path / "cache").glob("*.blob"))
    assert np.array_equal(expected, again.embed(images))


def test_a_damaged_compiled_model_is_compiled_again(
    lite0: InstalledBackbone, lite0_openvino: Runtime
) -> None:
    """A flipped bit in the cache changes no prediction."""
    images = _pictures(4)
    expected = lite0_openvino.embed(images)
    for blob in (lite0.path / "cache").glob("*.blob"):
        content = bytearray(blob.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 4096] = bytes(4096)
        blob.unlink()  # not in place: the fixture's runtime has it mapped
        blob.write_bytes(content)
    assert np.array_equal(expected, OpenvinoRuntime(lite0, "float32").embed(images))


FORBIDDEN = """
import ctypes, sys
from pathlib import Path
from imgsort.models.backbones import BACKBONES, InstalledBackbone
from imgsort.models.backbones.heavy_imports import import_keras
from imgsort.models.runtimes.on_openvino import OpenvinoRuntime
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
    sys.exit("this kernel has no PR_SET_MDWE")
OpenvinoRuntime(InstalledBackbone.open(Path(sys.argv[1]), sys.argv[2]), "float32")
"""


def test_a_process_that_may_not_make_code_is_told(lite0: InstalledBackbone) -> None:
    """As with MemoryDenyWriteExecute, which somebody may add to the service."""
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, str(lite0.path.parent), lite0.id],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    if "PR_SET_MDWE" in last:
        pytest.skip(last)
    assert "RuntimeUnavailable: OpenVINO can't compile the model here (" in last
    assert last.endswith("no MemoryDenyWriteExecute in a service.")


def test_open_runtime_takes_the_configurations_words(lite0: InstalledBackbone) -> None:
    """On a CPU: OpenVINO, at the precision asked for."""
    runtime = open_runtime(lite0, device="cpu", precision="float32", batch_size=32)
    assert (runtime.name, runtime.precision) == ("openvino", "float32")


@pytest.mark.skipif(this_machine().nvidia, reason="an NVIDIA GPU is visible here")
def test_a_gpu_that_is_not_there_is_told(lite0: InstalledBackbone) -> None:
    """device = "gpu" without one is an error, not a slow surprise."""
    with pytest.raises(RuntimeUnavailable, match="No NVIDIA GPU is visible"):
        open_runtime(lite0, device="gpu", precision="auto", batch_size=32)


def test_tensorflows_memory_errors_halve_the_batch(
    lite0_tensorflow: TensorflowRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever TensorFlow, XLA, cuDNN and cuBLAS call it when memory runs out; others pass
    through."""
    errors = lite0_tensorflow._tensorflow.errors
    whole = lite0_tensorflow._model
    problem = [errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")]

    def short_of_memory(images: Any) -> Any:
        if len(images) > 2:
            raise problem[0]
        return whole(images)

    images = _pictures(5)
    expected = lite0_tensorflow.embed(images)
    monkeypatch.setattr(lite0_tensorflow, "_model", short_of_memory)
    np.testing.assert_allclose(lite0_tensorflow.embed(images), expected, rtol=0, atol=2e-5)

    for kind, words in (
        (errors.InternalError, "Failed to allocate: out of memory"),
        (errors.InternalError, "cudnn: CUDNN_STATUS_ALLOC_FAILED in tensorflow/stream_executor"),
        (errors.InternalError, "failed to create cublas handle: CUBLAS_STATUS_ALLOC_FAILED"),
        (errors.UnknownError, "Failed to create cuDNN handle"),
        (errors.FailedPreconditionError, "DNN library: Failed to create cuDNN handle. "),
    ):
        monkeypatch.setattr(lite0_tensorflow._halving, "limit", 16)
        problem[0] = kind(None, None, words)
        np.testing.assert_allclose(lite0_tensorflow.embed(images), expected, rtol=0, atol=2e-5)
        assert lite0_tensorflow._halving.limit == 2

    monkeypatch.setattr(lite0_tensorflow._halving, "limit", 16)
    problem[0] = errors.InternalError(None, None, "a bug")
    with pytest.raises(errors.InternalError):
        lite0_tensorflow.embed(images)


@pytest.mark.parametrize(
    "words",
    [
        "DNN library initialization failed. Look at the errors above for more details.",
        "no kernel image is available for execution on the device",
        "CUDA driver version is insufficient for CUDA runtime version",
    ],
)
def test_what_the_driver_says_at_the_first_batch_is_told(
    lite0_tensorflow: TensorflowRuntime, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Before the daemon is ready: with device = "auto" the CPU takes over then."""
    errors = lite0_tensorflow._tensorflow.errors

    def broken(images: Any) -> Any:
        raise errors.InternalError(None, None, words)

    monkeypatch.setattr(lite0_tensorflow, "_model", broken)
    with pytest.raises(RuntimeUnavailable, match=words[:20]):
        lite0_tensorflow.warm_up()


def test_every_shape_is_compiled_before_it_is_needed(
    lite0_tensorflow: TensorflowRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of any size come in the two shapes that the start has seen."""
    monkeypatch.setattr(lite0_tensorflow._halving, "limit", 16)
    whole, shapes = lite0_tensorflow._model, []

    def noted(images: Any) -> Any:
        shapes.append(len(images))
        return whole(images)

    monkeypatch.setattr(lite0_tensorflow, "_model", noted)
    lite0_tensorflow.warm_up()
    compiled = set(shapes)
    assert len(compiled) == 2
    for count in (1, 3, 8, 9, 15, 16, 20):
        assert lite0_tensorflow.embed(_pictures(count)).shape[0] == count
    assert set(shapes) == compiled


def test_not_one_image_fits(
    lite0_tensorflow: TensorflowRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then DeviceMemoryExhausted reaches the caller, who may wait and try again."""
    problem = lite0_tensorflow._tensorflow.errors.ResourceExhaustedError(None, None, "OOM")

    def exhausted(images: Any) -> Any:
        raise problem

    monkeypatch.setattr(lite0_tensorflow, "_model", exhausted)
    with pytest.raises(DeviceMemoryExhausted):
        lite0_tensorflow.embed(_pictures(3))


WITHOUT_TENSORFLOW = """
import sys
from pathlib import Path
import numpy as np
import imgsort.models.backbones, imgsort.models.runtimes
heavy = {"tensorflow", "keras", "openvino", "h5py"}
assert not heavy & sys.modules.keys(), sorted(heavy & sys.modules.keys())
backbone = imgsort.models.backbones.InstalledBackbone.open(Path(sys.argv[1]), sys.argv[2])
open_runtime = imgsort.models.runtimes.open_runtime
runtime = open_runtime(backbone, device="cpu", precision="auto", batch_size=32)
embeddings = runtime.embed(np.zeros((3, 224, 224, 3), np.uint8))
weight, bias = backbone.imagenet_head()
assert (embeddings[:, : backbone.final] @ weight + bias).shape == (3, 1000)
print(sorted({"tensorflow", "keras", "torch", "openvino_telemetry.main"} & sys.modules.keys()))
"""


def test_a_cpu_never_loads_tensorflow(lite0: InstalledBackbone) -> None:
    """Importing, opening and embedding with OpenVINO: no TensorFlow, no telemetry, no chatter."""
    arguments = [sys.executable, "-c", WITHOUT_TENSORFLOW, str(lite0.path.parent), lite0.id]
    answer = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (answer.stdout, answer.stderr) == ("[]\n", "")
