"""A TCP proxy that goes wrong on command: in front of a server, it plays a sick network."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.support.waiting import free_port


@dataclass(frozen=True)
class Mood:
    """How bytes are carried."""

    flows: bool = True
    #: Pause before each piece of an answer, and the size of a piece.
    seconds: float = 0
    size: int = 65536
    #: What the request holds whose answer is swallowed.
    swallow: bytes | None = None


WELL = Mood()
#: The server has read a request by then.
_READ_SECONDS = 0.05


class Proxy:
    """Listens on `port` and carries to `upstream`, a port of this host.

    Each way to go wrong replaces the one before, also for open connections; `mend` ends it.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream, self.port = upstream, free_port()
        self._mood, self._changed = WELL, asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._flapping: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.mend()

    def mend(self) -> None:
        """Carry everything at once; what was frozen flows on."""
        self._do(self._become(WELL))

    def refuse(self) -> None:
        """Close every connection and refuse new ones, as a server that has ended does."""
        self._do(self._vanish())

    def freeze(self) -> None:
        """Accept connections and bytes, and carry nothing on."""
        self._do(self._become(Mood(flows=False)))

    def delay(self, seconds: float) -> None:
        """Hold each piece of an answer back for so long."""
        self._do(self._become(Mood(seconds=seconds)))

    def drip(self, seconds: float = 0.2) -> None:
        """Answer byte by byte, with such pauses."""
        self._do(self._become(Mood(seconds=seconds, size=1)))

    def swallow_reply(self, to: bytes = b"") -> None:
        """Deliver the next request that holds `to`; cut its connection instead of answering."""
        self._do(self._become(Mood(swallow=to)))

    def cut(self) -> None:
        """Close every connection now; new ones are carried as before."""
        self._do(self._cut())

    def flap(self, up: float, down: float) -> None:
        """Be there and gone by turns."""
        self._do(self._flap(up, down))

    def close(self) -> None:
        self.refuse()
        self._do(_end_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _become(self, mood: Mood) -> None:
        await self._stop_flapping()
        self._mood = mood
        self._changed.set()
        self._changed = asyncio.Event()
        await self._listen()

    async def _vanish(self) -> None:
        await self._stop_flapping()
        await self._hide()

    async def _flap(self, up: float, down: float) -> None:
        await self._become(WELL)
        self._flapping = asyncio.create_task(self._by_turns(up, down))

    async def _by_turns(self, up: float, down: float) -> None:
        while True:
            await asyncio.sleep(up)
            await self._hide()
            await asyncio.sleep(down)
            await self._listen()

    async def _stop_flapping(self) -> None:
        if self._flapping:
            await _cancel(self._flapping)
            self._flapping = None

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _hide(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._cut()

    async def _cut(self) -> None:
        for connection in list(self._connections):
            await _cancel(connection)

    async def _serve(self, requests: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._connections.add(task)
        with suppress(OSError, asyncio.CancelledError):
            replies, server = await asyncio.open_connection("127.0.0.1", self.upstream)
            await self._carry_both(Way(requests, server), Way(replies, client))
        client.transport.abort()
        self._connections.discard(task)

    async def _carry_both(self, there: "Way", back: "Way") -> None:
        """Carry until either side goes."""
        tasks = [
            asyncio.create_task(self._ask(there, back)),
            asyncio.create_task(self._carry(back)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.sink.transport.abort()
            for task in tasks:
                await _cancel(task)

    async def _ask(self, there: "Way", back: "Way") -> None:
        while data := await there.source.read(65536):
            await self._wait_for_flow()
            back.is_mute = self._mood.swallow is not None and self._mood.swallow in data
            there.sink.write(data)
            await there.sink.drain()
            if back.is_mute:
                self._mood = WELL
                await asyncio.sleep(_READ_SECONDS)
                return

    async def _carry(self, back: "Way") -> None:
        while data := await back.source.read(65536):
            while data and not back.is_mute:
                await self._wait_for_flow()
                data = await self._carry_piece(data, back.sink)

    async def _carry_piece(self, data: bytes, sink: asyncio.StreamWriter) -> bytes:
        """Carry a piece of an answer; what is left over."""
        mood = self._mood
        if mood.seconds and await self._changes_in(mood.seconds):
            return data
        sink.write(data[: mood.size])
        await sink.drain()
        return data[mood.size :]

    async def _changes_in(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _wait_for_flow(self) -> None:
        while not self._mood.flows:
            await self._changed.wait()


@dataclass
class Way:
    """One direction of a connection."""

    source: asyncio.StreamReader
    sink: asyncio.StreamWriter
    is_mute: bool = False


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # looked at, so that asyncio does not complain


async def _end_others() -> None:
    """End what a connection left behind that was cut while it was ending."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=1)
    await asyncio.sleep(0)  # for transports that were just aborted
