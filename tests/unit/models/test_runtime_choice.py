"""Which runtime and which precision, from the configuration and the machine."""

from pathlib import Path

import pytest

from imgsort.errors import RuntimeUnavailable
from imgsort.models.runtimes.choice import (
    Choice,
    Machine,
    choose,
    nvidia_visible,
    this_machine,
)

PLAIN = Machine(nvidia=False, matrix_bfloat16=False)
AMX = Machine(nvidia=False, matrix_bfloat16=True)
GPU = Machine(nvidia=True, matrix_bfloat16=True)
NO_CUDA = Machine(nvidia=True, matrix_bfloat16=False, cuda=False)


@pytest.mark.parametrize(
    ("device", "precision", "machine", "expected"),
    [
        ("auto", "auto", PLAIN, Choice("openvino", "float32")),
        ("auto", "auto", AMX, Choice("openvino", "bfloat16")),
        ("auto", "auto", GPU, Choice("tensorflow", "float16")),
        ("cpu", "auto", GPU, Choice("openvino", "bfloat16")),
        ("gpu", "auto", GPU, Choice("tensorflow", "float16")),
        ("auto", "auto", NO_CUDA, Choice("openvino", "float32")),
        ("auto", "int8", NO_CUDA, Choice("openvino", "int8")),
        ("gpu", "auto", NO_CUDA, Choice("tensorflow", "float16")),  # and starting it tells
        ("auto", "float32", AMX, Choice("openvino", "float32")),
        ("auto", "float32", GPU, Choice("tensorflow", "float32")),
        ("gpu", "bfloat16", GPU, Choice("tensorflow", "bfloat16")),
        ("cpu", "bfloat16", PLAIN, Choice("openvino", "bfloat16")),
    ],
)
def test_choice(device: str, precision: str, machine: Machine, expected: Choice) -> None:
    """An NVIDIA GPU runs TensorFlow, a CPU OpenVINO; bfloat16 by itself only where it is faster."""
    assert expected == choose(device, precision, machine)


@pytest.mark.parametrize("machine", [PLAIN, AMX])
def test_a_gpu_that_is_not_there_is_told(machine: Machine) -> None:
    """device = "gpu" never falls back silently."""
    with pytest.raises(RuntimeUnavailable) as caught:
        choose("gpu", "auto", machine)
    expected = (
        'No NVIDIA GPU is visible, but model.device is "gpu"; set it to "auto" in config.toml.'
    )
    assert expected == str(caught.value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("proc/driver/nvidia/gpus/0000:01:00.0/information", True),
        ("dev/nvidia0", True),
        ("dev/nvidia12", True),
        ("dev/nvidiactl", False),
        ("dev/nvidia-uvm", False),
        ("proc/driver/nvidia/version", False),
        ("dev/null", False),
    ],
)
def test_a_gpu_is_seen_by_its_device_file(tmp_path: Path, path: str, expected: bool) -> None:
    """The driver alone is no GPU."""
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).touch()
    assert expected == nvidia_visible(tmp_path)


@pytest.mark.parametrize(
    ("flags", "int8", "bfloat16"),
    [
        ("fpu sse2 avx2 fma", False, False),  # AMD EPYC of 2021
        ("fpu avx2 avx512f avx512bw", False, False),  # Skylake-SP
        ("fpu avx2 avx512f avx512_vnni", True, False),  # Cascade Lake, EPYC of 2022
        ("fpu avx2 avx_vnni", True, False),  # Alder Lake
        ("fpu avx512_vnni avx512_bf16 amx_bf16 amx_tile amx_int8", True, True),  # Sapphire Rapids
        ("fpu avx_vnni_int8 avx2", False, False),  # another instruction with nearly that name
    ],
)
def test_the_cpu_is_known_by_its_flags(
    tmp_path: Path, flags: str, int8: bool, bfloat16: bool
) -> None:
    """As /proc/cpuinfo has them, once for each core."""
    core = f"processor\t: 0\nmodel name\t: a CPU with avx512_vnni in its name\nflags\t\t: {flags}\n"
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"{core}\n{core}")
    machine = this_machine(cpuinfo)
    assert (machine.matrix_int8, machine.matrix_bfloat16) == (int8, bfloat16)


def test_a_cpu_that_tells_nothing_has_nothing(tmp_path: Path) -> None:
    """Another architecture has no flags, a sandbox no /proc/cpuinfo."""
    (tmp_path / "arm").write_text("Features\t: fp asimd i8mm bf16\n")
    for name in ("arm", "missing"):
        machine = this_machine(tmp_path / name)
        assert (machine.matrix_int8, machine.matrix_bfloat16) == (False, False)
