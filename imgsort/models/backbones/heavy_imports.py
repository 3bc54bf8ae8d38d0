"""Import the heavy libraries without their chatter and without their telephone calls."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imgsort.errors import RuntimeUnavailable


def import_keras() -> Any:
    """The keras module, on the TensorFlow backend, channels last. Takes seconds the first time.

    The user's own keras.json may name another backend or layout; these weights fit only this one.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import_tensorflow()
    import keras

    keras.config.set_image_data_format("channels_last")
    return keras


def import_tensorflow() -> Any:
    """The tensorflow module."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules:
        with _standard_error_closed():
            import tensorflow  # noqa: F401 - the next line returns it
    import tensorflow as loaded

    return loaded


def import_openvino() -> Any:
    """The openvino module, which otherwise reports its very import to its maker.

    With this entry OpenVINO finds no telemetry package and falls back on its own empty stand-in.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def import_nncf() -> Any:
    """The nncf module without its log on stdout and, like OpenVINO, without its telemetry.

    Raises RuntimeUnavailable where it is not installed.
    """
    import_openvino()
    kind = logging.getLoggerClass()
    try:
        import nncf
    except ImportError:
        raise RuntimeUnavailable(
            "int8 is made by nncf, which is not installed here; get it with `pip install nncf`."
        ) from None
    finally:
        logging.setLoggerClass(kind)  # nncf sets its own for every library
    # Not nncf.set_log_level: that one also changes handlers that others have hung there.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    return nncf


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    """Send descriptor 2 nowhere: TensorFlow 2.21 writes there before it reads its log level."""
    if sys.stderr:
        sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
