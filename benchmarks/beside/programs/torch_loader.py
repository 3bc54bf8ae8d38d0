"""PyTorch with a DataLoader, ResNet50 of torchvision; as it is, or through `torch.compile`."""

from pathlib import Path
from typing import Any

import torch
import torchvision
from answering import Answers, Judge, serve, timed
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

SIDE = 224
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Pictures(Dataset):  # type: ignore[misc,type-arg]
    """The files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.iterdir())
        self._prepared = transforms.Compose(
            [
                transforms.Resize((SIDE, SIDE)),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, SPREAD),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, str]:
        path = self.paths[number]
        return self._prepared(Image.open(path).convert("RGB")), path.name


def prepare(settings: Any) -> tuple[Judge, str]:
    torch.set_num_threads(settings["cores"])
    model: Any = torchvision.models.resnet50(weights=None).eval()
    if settings["compiled"]:
        model = torch.compile(model)

    def judge(folder: Path) -> Answers:
        answers: Answers = {}
        loader = DataLoader(Pictures(folder), settings["batch_size"], num_workers=settings["cores"])
        with torch.inference_mode():
            for pixels, names in loader:
                found = model(pixels).argmax(dim=1).tolist()
                answers.update(zip(names, map(str, found), strict=True))
        return answers

    return timed(judge), f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}"


if __name__ == "__main__":
    serve(prepare)
