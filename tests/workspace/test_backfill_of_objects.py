"""Archives in an object store: a real S3 server on this machine, and objects that change."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from imgsort.workspace.workspace import Workspace
from tests.archives import in_units_of, pictures, query, rows
from tests.cli_runner import Answer, imgsort

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("moto", "s3fs", "pyarrow", "flask")),
    reason="moto[server], s3fs or imgsort[backfill] is not installed",
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def env(server: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server,
        "no_proxy": "127.0.0.1",
    }


@pytest.fixture
def client(server: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=server,
        region_name="us-east-1",
        aws_access_key_id="someone",
        aws_secret_access_key="secret",  # noqa: S106 - of a server that lives for this test
    )


@pytest.fixture
def photos(workspace: Workspace) -> Workspace:
    return in_units_of(workspace, 16)


def backfill(photos: Workspace, env: dict[str, str], *words: str | Path) -> Answer:
    return imgsort("-C", photos.root, "backfill", *words, env=env)


def test_objects_are_judged_where_they_lie(
    photos: Workspace, tmp_path: Path, client: Any, env: dict[str, str]
) -> None:
    """With their exact keys, sizes and etags; nothing of them stays on this machine's disk."""
    client.create_bucket(Bucket="pics")
    keys = ["a/1.jpg", "a b/Zoë+#?%.JPG", "a/b/c/deep.jpg", "'quote\".jpg"]
    for key, path in zip(keys, pictures(tmp_path / "made", 4), strict=True):
        client.put_object(Bucket="pics", Key=key, Body=path.read_bytes())
    client.put_object(Bucket="pics", Key="notes.txt", Body=b"x")
    client.put_object(Bucket="pics", Key="broken.jpg", Body=b"<html>")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    said = backfill(photos, {**env, "TMPDIR": str(scratch)}, "s3://pics", "--job", "s3", "--json")
    assert said.code == 0, said.err
    found = {os.fsdecode(row["path_bytes"]): row for row in rows(photos, "s3")}
    assert set(found) == {f"s3://pics/{key}" for key in [*keys, "broken.jpg"]}
    head = client.head_object(Bucket="pics", Key=keys[1])
    odd = found[f"s3://pics/{keys[1]}"]
    assert (odd["size"], odd["etag"]) == (head["ContentLength"], head["ETag"].strip('"'))
    assert odd["decision"] in {"filed", "unsure"}
    assert found["s3://pics/broken.jpg"]["reason"] == "the content is a web page"
    assert query(photos, "SELECT count(*) FROM archive_log WHERE sha256 IS NOT NULL") == [(5,)]
    assert list(scratch.iterdir()) == []


def test_an_object_that_is_another_than_was_listed(
    photos: Workspace, tmp_path: Path, client: Any, env: dict[str, str]
) -> None:
    """Isn't judged as what it was; `retry` reads it as it is now. A lost one is told."""
    client.create_bucket(Bucket="moving")
    one, two, three = pictures(tmp_path / "made", 3)
    for key, path in (("one.jpg", one), ("two.jpg", two)):
        client.put_object(Bucket="moving", Key=key, Body=path.read_bytes())
    listing = tmp_path / "list.csv"
    etag = client.head_object(Bucket="moving", Key="one.jpg")["ETag"].strip('"')
    lines = ["bucket,key,etag", f"moving,one.jpg,{etag}", "moving,two.jpg,", "moving,gone.jpg,"]
    listing.write_text("\n".join(lines) + "\n")
    client.put_object(Bucket="moving", Key="one.jpg", Body=three.read_bytes())
    said = backfill(photos, env, listing, "--job", "moving", "--json")
    assert (said.code, said.json["changed"], said.json["unread"]) == (0, 1, 1)
    again = backfill(photos, env, "retry", "moving", "--json")
    assert (again.code, again.json["changed"], again.json["unread"]) == (0, 0, 1)


def test_a_bucket_that_is_not_there(photos: Workspace, env: dict[str, str]) -> None:
    """The provider's own sentence, exit 1."""
    said = backfill(photos, env, "s3://nosuch")
    assert said.code == 1
    assert "s3://nosuch can't be read: The specified bucket does not exist" in said.err


def test_an_inventory_in_a_bucket(
    photos: Workspace, tmp_path: Path, client: Any, env: dict[str, str]
) -> None:
    """The list itself may lie in the store too."""
    client.create_bucket(Bucket="stock")
    (one,) = pictures(tmp_path / "made", 1)
    client.put_object(Bucket="stock", Key="sub dir/one.jpg", Body=one.read_bytes())
    client.put_object(Bucket="stock", Key="inv/data.csv", Body=b'"stock","sub+dir/one.jpg"\n')
    manifest = (
        '{"sourceBucket": "stock", "destinationBucket": "arn:aws:s3:::stock", "fileFormat": "CSV",'
        ' "fileSchema": "Bucket, Key", "files": [{"key": "inv/data.csv"}]}'
    )
    client.put_object(Bucket="stock", Key="inv/manifest.json", Body=manifest.encode())
    said = backfill(photos, env, "s3://stock/inv/manifest.json", "--job", "stock")
    assert said.code == 0, said.err
    assert [row["path"] for row in rows(photos, "stock")] == ["s3://stock/sub dir/one.jpg"]
