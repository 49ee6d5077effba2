"""Sends many requests at a time over kept-alive connections. Needs no package."""

import asyncio


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request at a time."""

    def __init__(self):
        self.got, self.answer = b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.got += data
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        if len(body) >= length and self.answer:
            answer, self.answer, self.got = self.answer, None, b""
            answer.set_result((int(head[9:12]), body))

    def connection_lost(self, _):
        if self.answer:
            self.answer.set_result((0, b""))

    def ask(self, request):
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer


class Callers:
    """A pool of connections that grows when none is free."""

    def __init__(self, address):
        self.host, self.port = address.split(":")
        self.free = []

    async def ask(self, request):
        while self.free and self.free[-1].transport.is_closing():
            self.free.pop()
        connection = self.free.pop() if self.free else await self.another()
        answer = await connection.ask(request)
        self.free.append(connection)
        return answer

    async def another(self):
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Connection, self.host, int(self.port)))[1]
