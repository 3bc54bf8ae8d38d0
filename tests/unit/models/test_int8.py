"""The int8 form beside a backbone's float32 one: made, kept whole, looked at before use.

nncf is needed to make one; what reads it is tested with a graph that needs none.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgsort.errors import ModelProblem, RuntimeUnavailable
from imgsort.models.agreement import Agreement
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.int8 import (
    RECORD,
    STAGING,
    Graph,
    Measured,
    Record,
    is_int8,
    keep_graph,
    record_of,
    recorded_graph,
    staging,
    verified_graph,
)
from imgsort.models.backbones.on_disk import CACHE, CARD, GRAPH, GRAPH_WEIGHTS
from imgsort.models.registry import ClassEntry, ModelCard
from imgsort.models.runtimes import idle_runtime, open_runtime
from imgsort.models.runtimes.on_openvino import OpenvinoRuntime
from imgsort.models.serving import require_compatible

AGREED = Agreement(pictures=100, same_decisions=99, same_labels=98, mean_cosine=0.99)
HEAD_SUM = "ab" * 32


def measured(head: str = HEAD_SUM) -> Measured:
    return Measured(
        head=head, model=1, speedup=2.0, lower_bound=AGREED.lower_bound, agreement=AGREED
    )


def card(backbone_id: str, precision: str, head: str = HEAD_SUM) -> ModelCard:
    return ModelCard(
        version=3,
        kind="dense",
        backbone="efficientnet-lite0",
        backbone_id=backbone_id,
        precision=precision,
        classes=(ClassEntry(1, "cat"),),
        temperature=1.0,
        thresholds=(0.7,),
        metrics={},
        parent=None,
        created_at="2026-11-22T12:00:00.000Z",
        checksums={"head.safetensors": head},
    )


@pytest.fixture
def backbone(lite0: InstalledBackbone, tmp_path: Path) -> InstalledBackbone:
    """A copy to change at will."""
    shutil.copytree(lite0.path, tmp_path / lite0.id, ignore=shutil.ignore_patterns(CACHE))
    return InstalledBackbone.open(tmp_path, lite0.id)


def keep(backbone: InstalledBackbone, tail: str = "") -> Record:
    """Keep the float32 graph as if it were an int8 one; ``tail`` makes it another one."""
    with staging(backbone) as folder:
        shutil.copyfile(backbone.path / GRAPH, folder / "model.xml")
        shutil.copyfile(backbone.path / GRAPH_WEIGHTS, folder / "model.bin")
        with (folder / "model.xml").open("a") as file:
            file.write(tail)
        made = recorded_graph(backbone, folder / "model.xml", ["cd" * 32], vnni=False)
        record = made.record.with_measured(measured())
        keep_graph(backbone, made, record)
    return record


def names(backbone: InstalledBackbone) -> set[str]:
    return {path.name for path in backbone.path.iterdir()} - {*backbone.card.files, CARD, CACHE}


def test_without_a_record_int8_names_the_command(backbone: InstalledBackbone) -> None:
    """Started now or with the first picture, it is the same sentence."""
    for start in (open_runtime, idle_runtime):
        with pytest.raises(ModelProblem, match="with `imgsort quantize`"):
            start(backbone, device="cpu", precision="int8", batch_size=4)
    assert record_of(backbone) is None


def test_what_is_kept_is_read_back(backbone: InstalledBackbone) -> None:
    """The record says what was measured, and the runtime runs the graph under its own name."""
    kept = keep(backbone)
    assert record_of(backbone) == kept
    assert kept.of(HEAD_SUM) == measured()
    assert kept.of("00" * 32) is None
    runtime = open_runtime(backbone, device="cpu", precision="int8", batch_size=4)
    idle = idle_runtime(backbone, device="cpu", precision="int8", batch_size=4)
    assert (runtime.precision, idle.precision) == (kept.precision, kept.precision)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8)
    assert np.array_equal(runtime.embed(pictures), idle.embed(pictures))


def test_a_new_graph_takes_the_old_one_s_place(backbone: InstalledBackbone) -> None:
    """Under a number of its own, so that embeddings of the two never meet; nothing is left over."""
    old, new = keep(backbone), keep(backbone, "<!-- another -->")
    assert old.precision != new.precision
    assert record_of(backbone) == new
    assert names(backbone) == {RECORD, *new.files}


@pytest.mark.parametrize("end", [".xml", ".bin"])
def test_a_damaged_graph_is_refused(backbone: InstalledBackbone, end: str) -> None:
    """One byte is enough, and so is a missing file."""
    record = keep(backbone)
    path = next(backbone.path / name for name in record.files if name.endswith(end))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelProblem, match=r"is damaged or missing; .*quantize --again"):
        OpenvinoRuntime(backbone, "int8")
    path.unlink()
    with pytest.raises(ModelProblem, match="is damaged or missing"):
        verified_graph(backbone, record)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"files": {}}', "\N{NULL}", '{"measured": 3}']
)
def test_a_damaged_record_is_refused(backbone: InstalledBackbone, text: str) -> None:
    """It decides what may serve, so nothing in it is guessed."""
    keep(backbone)
    (backbone.path / RECORD).write_text(text)
    with pytest.raises(ModelProblem, match=r"int8\.json is damaged or missing"):
        record_of(backbone)


def test_a_record_of_another_backbone_is_refused(backbone: InstalledBackbone) -> None:
    """Copied there from elsewhere."""
    table = json.loads(keep(backbone).rendered())
    (backbone.path / RECORD).write_text(json.dumps({**table, "backbone_id": "resnet50-0"}))
    with pytest.raises(ModelProblem, match=r"int8\.json is damaged or missing"):
        record_of(backbone)


def test_a_cpu_without_vnni_refuses_what_was_made_for_one(
    backbone: InstalledBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There 16-bit sums overflow without a word."""
    record = replace(keep(backbone), vnni=True)
    (backbone.path / RECORD).write_bytes(record.rendered())
    monkeypatch.setattr("imgsort.models.runtimes.on_openvino.has_vnni", lambda: False)
    with pytest.raises(RuntimeUnavailable, match="with VNNI, which this one lacks"):
        OpenvinoRuntime(backbone, "int8")


def test_the_compiled_int8_model_is_kept(backbone: InstalledBackbone) -> None:
    """A second start compiles nothing, and a candidate's compiled form is never kept."""
    record = keep(backbone)
    candidate = OpenvinoRuntime(backbone, "int8", verified_graph(backbone, record))
    assert candidate.precision == "int8"
    assert not list(backbone.path.glob(f"{CACHE}/*.blob"))
    OpenvinoRuntime(backbone, "int8")
    blobs = sorted(backbone.path.glob(f"{CACHE}/*.blob"))
    assert len(blobs) == 1
    OpenvinoRuntime(backbone, "int8")
    assert blobs == sorted(backbone.path.glob(f"{CACHE}/*.blob"))


def test_a_killed_quantize_leaves_nothing_behind(backbone: InstalledBackbone) -> None:
    """The next one begins in an empty folder."""
    (backbone.path / STAGING).mkdir()
    (backbone.path / STAGING / "model.xml").touch()
    with staging(backbone) as folder:
        assert list(folder.iterdir()) == []
    assert names(backbone) == set()


@pytest.mark.parametrize(
    ("trained", "running"),
    [
        ("float32", "float32"),
        ("bfloat16", "float32"),
        ("float32", "float16"),
        ("int8-00000000", "int8-00000000"),
    ],
)
def test_what_needs_no_record(backbone: InstalledBackbone, trained: str, running: str) -> None:
    """Floating point among itself, and an int8 form with what was trained on it."""
    require_compatible(card(backbone.id, trained), backbone, running)


def test_a_head_of_the_form_without_inner_layers_needs_none(backbone: InstalledBackbone) -> None:
    """What it takes is the first part; a head of any other backbone is refused."""
    assert backbone.extends is not None
    require_compatible(card(backbone.extends, "float32"), backbone, "float32")
    for other in ("efficientnet-lite0-000000000000", "resnet50-000000000000"):
        with pytest.raises(ModelProblem, match=f"looks through the backbone {other}, not"):
            require_compatible(card(other, "float32"), backbone, "float32")


def test_a_head_serves_in_int8_once_it_was_measured(backbone: InstalledBackbone) -> None:
    """And one that was trained in int8 in float32, by the same measurement."""
    int8 = keep(backbone).precision
    for trained, running in (("float32", int8), (int8, "float32")):
        require_compatible(card(backbone.id, trained), backbone, running)
        with pytest.raises(ModelProblem, match="measure it with `imgsort quantize`"):
            require_compatible(card(backbone.id, trained, head="00" * 32), backbone, running)


@pytest.mark.parametrize(
    ("trained", "running"),
    [
        ("int8-00000000", "float32"),
        ("float32", "int8-00000000"),
        ("int8-00000000", "int8-11111111"),
    ],
)
def test_an_int8_form_that_is_gone_compares_with_nothing(
    backbone: InstalledBackbone, trained: str, running: str
) -> None:
    """Whatever form is there now."""
    for _ in range(2):
        with pytest.raises(ModelProblem, match="which is not comparable with"):
            require_compatible(card(backbone.id, trained), backbone, running)
        keep(backbone)


def test_precisions_by_name() -> None:
    """The number after it is the graph's."""
    known = [name for name in ("int8", "int8-1a2b3c4d", "float32", "int80") if is_int8(name)]
    assert known == ["int8", "int8-1a2b3c4d"]


def test_a_graph_is_named_by_its_files(backbone: InstalledBackbone) -> None:
    """The same bytes, the same number."""
    record = keep(backbone)
    graph = Graph(verified_graph(backbone, record), record)
    assert recorded_graph(backbone, graph.path, [], vnni=False).record.graph == record.graph
