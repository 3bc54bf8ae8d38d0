"""From a workspace to a page that is served: socket, secret file, loop, end."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from imgsort.review.application import application
from imgsort.review.connections import Patient, allow_files
from imgsort.review.host import open_host
from imgsort.review.running import PortTaken, Running, kept, remembered, the_only_page
from imgsort.workspace.workspace import Workspace

LOOPBACK = "127.0.0.1"
"""There is no option to change it: from another machine, `ssh -L`."""
_BACKLOG = 256


class Served(uvicorn.Server):
    """uvicorn's own handlers would end the process without closing anything."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(workspace: Workspace, port: int, ready: Callable[[str], None]) -> None:
    """Serve the page until SIGINT or SIGTERM; ``ready`` is given the first link.

    Raises PageRuns where another process serves it.
    """
    workspace.require_folders()
    allow_files()
    # What it would say is about other people's broken requests.
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn").propagate = False
    with the_only_page(workspace), _listening(port, remembered(workspace)) as listener:
        bound: int = listener.getsockname()[1]
        running, keeper = kept(workspace, bound)
        with open_host(workspace, keeper) as host:
            config = uvicorn.Config(
                application(host, running.secret),
                loop="asyncio",
                http=Patient,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
            )
            ready(link_of(bound, keeper.link_key()))
            asyncio.run(_until_told(Served(config), listener, host.events.close))


def link_of(port: int, key: str) -> str:
    """The key stands in the fragment, which no browser sends."""
    return f"http://{LOOPBACK}:{port}/#k={key}"


async def _until_told(
    server: uvicorn.Server, listener: socket.socket, end: Callable[[], None]
) -> None:
    def stop() -> None:
        server.should_exit = True
        end()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await server.serve(sockets=[listener])


@contextlib.contextmanager
def _listening(port: int, last: Running | None) -> Iterator[socket.socket]:
    """On that port; without one on the last one, so that open tabs go on, or on any."""
    wanted = [port] if port else [*([last.port] if last else []), 0]
    for number, one in enumerate(wanted, 1):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, one))
            break
        except OSError as problem:
            listener.close()
            if number == len(wanted):
                raise PortTaken(
                    f"Port {one} can't be listened at ({problem.strerror}); name another with "
                    f"--port, or leave it out."
                ) from None
    with listener:
        listener.listen(_BACKLOG)
        yield listener
