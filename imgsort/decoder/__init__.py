"""Untrusted files are opened in worker processes, where a crash or a hang costs that file alone."""

from imgsort.decoder.outcome import Attempts, Deferred, NoAttempts, Outcome, Picture, Refused
from imgsort.decoder.pool import DecoderPool

__all__ = [
    "Attempts",
    "DecoderPool",
    "Deferred",
    "NoAttempts",
    "Outcome",
    "Picture",
    "Refused",
]
