"""A network between Django and its database that is slow, or that stands still."""

import socket
import threading
import time
from contextlib import suppress


class SlowNetwork:
    """Passes bytes between clients of `port` and a server; each packet waits `delay_s`, and all of them while `stalled`."""

    def __init__(self, host: str, port: int) -> None:
        self.delay_s, self.stalled = 0.0, False
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and drop those that are open."""
        self.stalled = False
        self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                accepted, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(accepted,), daemon=True).start()

    def _connect(self, accepted: socket.socket) -> None:
        self._wait()
        server = socket.create_connection(self._target)
        self._open += [accepted, server]
        for source, sink in ((accepted, server), (server, accepted)):
            threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                self._wait()
                sink.sendall(chunk)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _wait(self) -> None:
        while self.stalled:
            time.sleep(0.005)
        time.sleep(self.delay_s)
