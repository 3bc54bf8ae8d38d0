"""What is dear to find out is found out seldom, and never twice at once."""

import threading
import time

from imgsort.review.seldom import REST, Seldom


def test_what_is_cheap_is_new_each_time() -> None:
    """In a small workspace every count is of this moment."""
    asked: list[int] = []

    def cheap() -> int:
        asked.append(1)
        return len(asked)

    seldom = Seldom(cheap)
    assert seldom() == 1
    deadline = time.monotonic() + 30
    while seldom() == 1:
        assert time.monotonic() < deadline
    assert len(asked) == 2


def test_what_is_dear_rests() -> None:
    """Many questions cost one answer; it is renewed when it has rested."""
    asked: list[float] = []

    def dear() -> int:
        began = time.thread_time()
        while time.thread_time() < began + 0.02:
            pass
        asked.append(time.monotonic())
        return len(asked)

    seldom = Seldom(dear)
    while seldom() < 3:
        pass
    assert asked[1] - asked[0] >= REST * 0.02
    assert asked[2] - asked[1] >= REST * 0.02


def test_nobody_waits_for_who_finds_out() -> None:
    """The others are given what was known before."""
    gate, begun = threading.Event(), threading.Event()
    answers = iter([1, 2])

    def find_out() -> int:
        answer = next(answers)
        if answer > 1:
            begun.set()
            assert gate.wait(30)
        return answer

    seldom = Seldom(find_out)
    assert seldom() == 1
    seldom._until = 0.0
    renewing = threading.Thread(target=seldom)
    renewing.start()
    assert begun.wait(30)
    assert seldom() == 1
    gate.set()
    renewing.join(30)
    seldom._until = time.monotonic() + 30
    assert seldom() == 2
