"""Ultralytics' classify on a folder, with its own ResNet50 (`yolov8-cls-resnet50.yaml`)."""

import os
from pathlib import Path
from typing import Any

from answering import Answers, Judge, serve, timed

SIDE = 224


def prepare(settings: Any) -> tuple[Judge, str]:
    kept = Path(settings["place"])
    os.environ |= {
        "YOLO_CONFIG_DIR": str(kept),
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
    }
    import torch
    import ultralytics

    torch.set_num_threads(settings["cores"])
    model = ultralytics.YOLO("yolov8-cls-resnet50.yaml", task="classify")

    def judge(folder: Path) -> Answers:
        found = model.predict(
            folder, batch=settings["batch_size"], imgsz=SIDE, stream=True, verbose=False
        )
        return {Path(one.path).name: str(one.probs.top1) for one in found}

    return timed(judge), f"Ultralytics {ultralytics.__version__}, PyTorch {torch.__version__}"


if __name__ == "__main__":
    serve(prepare)
