"""An HTTP/1.1 client that can do what libraries will not: half a request, two at once, leave, dawdle."""
import asyncio
import socket
import struct


class Answer:
    """One answer, complete, or what came of it before its reader had enough."""

    def __init__(self, status, headers, body=b"", complete=True):
        self.status, self.headers, self.body, self.complete = status, headers, body, complete

    @property
    def is_stream(self):
        return self.headers.get("content-type", "").startswith("text/event-stream")


def head(method, path, length=None, fields=(), version="1.1"):
    lines = [f"{method} {path} HTTP/{version}", "Host: t", "Content-Type: application/json"]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, *fields, "", ""]).encode()


class HostileClient:
    """One connection. Whatever the server closes too early is an IncompleteReadError or ConnectionError."""

    async def open(self, port, receive_buffer=None):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        self.reader, self.writer = await asyncio.open_connection(sock=sock, limit=receive_buffer or 1 << 20)
        return self

    def send(self, data):
        self.writer.write(data)

    def close(self, reset=False):
        if reset:
            sock = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        else:
            self.writer.close()

    async def read_head(self):
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = [line.split(":", 1) for line in lines[1:] if line]
        return Answer(int(lines[0].split(" ")[1]), {name.lower(): value.strip() for name, value in fields})

    async def _pieces(self, answer):
        if answer.headers.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                yield (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
        elif "content-length" in answer.headers:
            yield await self.reader.readexactly(int(answer.headers["content-length"]))
        else:
            while data := await self.reader.read(65536):
                yield data

    async def read(self, method="POST", enough=None):
        """The next answer; of a body only the beginning, if `enough` bytes are."""
        answer = await self.read_head()
        while answer.status == 100:
            answer = await self.read_head()
        pieces, size = [], 0
        if method != "HEAD" and answer.status != 204:
            async for piece in self._pieces(answer):
                pieces.append(piece)
                size += len(piece)
                if enough is not None and size >= enough:
                    answer.complete = False
                    break
        answer.body = b"".join(pieces)
        return answer
