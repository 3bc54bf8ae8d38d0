"""What a worker writes into its pipe is a finding, or refused; never more."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts
from imgsort.images.worker_messages import (
    LONGEST,
    DecoderBug,
    NotAFinding,
    packed,
    packed_bug,
    unpacked,
)
from imgsort.images.worker_task import Finding, Readable, Unavailable, Unreadable

IDENTITY = Identity(1, 2**63, 3, 4)
FACTS = ImageFacts(4000, 3000, "JPEG", "2024-01-02T03:04:05", None, 2**64 - 1)
READABLE = Readable(IDENTITY, "ab" * 32, FACTS)


@pytest.mark.parametrize(
    "finding",
    [
        READABLE,
        Unreadable(IDENTITY, None, "it is too big"),
        Unreadable(IDENTITY, "cd" * 32, "ünïcode \n"),
        Unavailable("it vanished"),
    ],
)
def test_a_finding_arrives_as_it_was_sent(finding: Finding) -> None:
    """Every kind, every field."""
    assert unpacked(packed(finding)) == finding


def test_text_that_is_no_unicode_arrives_with_question_marks() -> None:
    """A codec's message may quote any bytes."""
    assert unpacked(packed(Unavailable("bad \udcff name"))) == Unavailable("bad ? name")


def test_a_bug_is_raised_here_however_long_its_traceback() -> None:
    """Its end is what tells."""
    message = packed_bug("ü\udcff" * LONGEST + "the end")
    assert len(message) <= LONGEST
    with pytest.raises(DecoderBug, match=r"the end$"):
        unpacked(message)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'["Path", {}]',
        b'["Unavailable", {}]',
        b'["Unavailable", {"reason": 1}]',
        b'["Unavailable", {"reason": "a", "more": 1}]',
        b'["Readable", {"identity": null, "sha256": "", "facts": null}]',
        pickle.dumps(READABLE),
        packed(READABLE).replace(b"4000", b"true"),
        packed(READABLE).replace(b"4000", b"4e3"),
        packed(READABLE)[:-1],
        packed(READABLE).replace(b"4000", b"0"),
        packed(READABLE).replace(b"4000", b"9" * 19),
        packed(READABLE).replace(b"4000", b"9" * 5000),
        packed(READABLE).replace(b"4000", b"NaN"),
        packed(READABLE).replace(b"abab", b"../x"),
        packed(READABLE).replace(b"abab", b"ABAB"),
        packed(READABLE).replace(b'"ino": ', b'"ino": 9' + b"0" * 20),
        packed(READABLE).replace(b'"size": ', b'"size": -'),
    ],
)
def test_anything_else_is_refused(message: bytes) -> None:
    """Wrong kind, fields or types, half a message, a pickle, numbers no database holds."""
    with pytest.raises(NotAFinding):
        unpacked(message)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_json_gets_past_the_check(content: object) -> None:
    """Whatever comes out is a finding; whatever is raised is one of two kinds."""
    try:
        finding = unpacked(json.dumps(content).encode())
    except (NotAFinding, DecoderBug):
        return
    assert isinstance(finding, Finding)
