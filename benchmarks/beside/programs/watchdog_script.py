"""The script that people write: a file appears, Keras looks at it, it is moved; one at a time."""

import os
import queue
import shutil
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from answering import Answers, Judge, serve

SIDE = 224
LONGEST = 60.0
"""Seconds to wait for the next picture."""


def prepare(settings: Any) -> tuple[Judge, str]:  # noqa: ARG001 - it has no batches
    import keras
    import watchdog.version
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    model = keras.applications.ResNet50(weights=None)
    done: queue.Queue[tuple[str, str]] = queue.Queue()

    class Handler(FileSystemEventHandler):
        def on_created(self, event: FileSystemEvent) -> None:
            path = Path(os.fsdecode(event.src_path))
            image = keras.utils.load_img(path, target_size=(SIDE, SIDE))
            pixels = keras.utils.img_to_array(image)[None]
            found = model.predict(keras.applications.resnet50.preprocess_input(pixels), verbose=0)
            folder = path.parent.parent / "sorted" / str(found[0].argmax())
            folder.mkdir(parents=True, exist_ok=True)
            shutil.move(path, folder / path.name)
            done.put((path.name, folder.name))

    def judge(folder: Path) -> tuple[float, Answers]:
        inbox = folder.with_name(f"{folder.name}-inbox")
        inbox.mkdir()
        observer = Observer()
        observer.schedule(Handler(), str(inbox))
        observer.start()
        paths = sorted(folder.iterdir())
        began = time.perf_counter()
        for path in paths:
            path.rename(inbox / path.name)
        answers = dict(done.get(timeout=LONGEST) for _ in paths)
        seconds = time.perf_counter() - began
        observer.stop()
        observer.join()
        return seconds, answers

    return judge, f"Keras {keras.__version__}, watchdog {watchdog.version.VERSION_STRING}"


if __name__ == "__main__":
    serve(prepare)
