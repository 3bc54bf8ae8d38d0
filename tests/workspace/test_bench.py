"""`imgsort bench` files what it measures."""

import pytest

from tests.cli_runner import imgsort


@pytest.mark.parametrize("network", [[], ["--null-network"]], ids=["network", "null-network"])
def test_every_picture_of_a_round_is_filed(network: list[str]) -> None:
    """With nothing to settle; else there would be no figure."""
    words = ("bench", "--random-weights", "--backbone", "efficientnet-lite0", *network)
    answer = imgsort(*words, "--count", "32", "--rounds", "1", "--json")
    assert answer.code == 0, answer.err
