"""Keras's own way with a folder: `image_dataset_from_directory` into `predict`, ResNet50."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from answering import Answers, Judge, serve, timed

SIDE = 224


def prepare(settings: Any) -> tuple[Judge, str]:
    import keras
    import tensorflow

    inputs = keras.Input((SIDE, SIDE, 3))
    preprocessed = keras.applications.resnet50.preprocess_input(inputs)
    network = keras.applications.ResNet50(weights=None)
    model = keras.Model(inputs, network(preprocessed))

    def judge(folder: Path) -> Answers:
        pictures = keras.utils.image_dataset_from_directory(
            folder,
            labels=None,
            batch_size=settings["batch_size"],
            image_size=(SIDE, SIDE),
            shuffle=False,
            verbose=False,
        )
        names = [Path(path).name for path in pictures.file_paths]
        found = model.predict(pictures.prefetch(tensorflow.data.AUTOTUNE), verbose=0)
        return dict(zip(names, map(str, found.argmax(axis=1)), strict=True))

    return timed(judge), f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}"


if __name__ == "__main__":
    serve(prepare)
