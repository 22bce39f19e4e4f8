#!/usr/bin/env python3
"""What thousands of strangers cost who connect and do not log in, and whether others still can meanwhile.

Publish first: dotnet publish src/ImapDirector
Then:          benchmarks/strangers.py [connections]
Each kind of stranger in turn, against a director of its own; they come from as many addresses as the limit of 50 an address asks for. Memory is the director's
own, per connection, when all are there. Beside them somebody logs in again and again from an address of their own, in the clear and with TLS.
"""
import asyncio
import statistics
import sys
import time

from few_directors import Directors, allow_files, log_in_often, quick_tls

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
PER_ADDRESS = 45
HONEST = "127.9.9.9"
SECONDS = 30  # for which they are watched; the time to log in is a minute

CLIENT_HELLO = bytes.fromhex("16030102000100")


async def silent(reader, writer):
    await reader.readline()


async def half_open_tls(_, writer):
    writer.write(CLIENT_HELLO)


async def half_written(reader, writer):
    await reader.readline()
    writer.write(b"a LOGIN " + b"x" * 7000)


async def dripping(reader, writer):
    await reader.readline()
    for byte in b"a NOOP " + b"x" * 1000:
        writer.write(bytes([byte]))
        await asyncio.sleep(2)


KINDS = {
    "silent": (silent, False),
    "half a ClientHello": (half_open_tls, True),
    "7 KB of a command": (half_written, False),
    "a byte each 2 s": (dripping, False),
}


def memory(process):
    """Bytes that are the process's own."""
    with open(f"/proc/{process.pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) * 1024


async def watch_logins(director, seconds):
    """How long honest logins take, in the clear and with TLS."""
    results = []
    for tls in (None, quick_tls()):
        times, failures = [], []
        port = director.imaps if tls else director.imap
        task = asyncio.create_task(log_in_often(lambda port=port: port, "honest@example.com", HONEST, 0.1, times, failures, tls=tls, patience=30))
        results.append((times, failures, task))
    await asyncio.sleep(seconds)
    for _, _, task in results:
        task.cancel()
    return [(times, failures) for times, failures, _ in results]


def told(times, failures):
    times.sort()
    if not times:
        return f"none of {len(failures)}: {failures[0]!r}"
    return f"{statistics.median(times) * 1000:5.0f} ms median, {times[-1] * 1000:5.0f} at most, {len(failures)} of {len(times) + len(failures)} failed"


async def measure(kind):
    behave, is_tls = KINDS[kind]
    async with Directors(1) as directors:
        director = directors[0]
        await directors.add_users(["honest@example.com"])
        await watch_logins(director, 5)
        quiet = await watch_logins(director, 5)
        before = memory(director.process)
        tasks, writers = [], []
        turn = asyncio.Semaphore(200)

        async def come(number):
            address = f"127.1.{number // PER_ADDRESS // 200}.{number // PER_ADDRESS % 200 + 1}"
            async with turn:
                reader, writer = await asyncio.open_connection("127.0.0.1", director.imaps if is_tls else director.imap, local_addr=(address, 0))
            writers.append(writer)
            try:
                await behave(reader, writer)
            except ConnectionError:
                pass  # let go, as strangers are

        begun = time.perf_counter()
        tasks = [asyncio.create_task(come(number)) for number in range(COUNT)]
        while len(writers) < COUNT:
            await asyncio.sleep(0.05)
        arrived = time.perf_counter() - begun
        watching = asyncio.create_task(watch_logins(director, SECONDS))
        await asyncio.sleep(5)
        there, used = await directors.count("imapdirector_prelogin_connections"), memory(director.process) - before
        meanwhile = await watching
        print(f"{kind}: {COUNT} came within {arrived:.1f} s, {there:.0f} were there 5 s later, {used / max(there, 1) / 1024:.1f} KB each")
        for name, before_them, beside_them in zip(("in the clear", "with TLS"), quiet, meanwhile):
            print(f"  logins {name}: alone {told(*before_them)}; beside them {told(*beside_them)}")
        for task in tasks:
            task.cancel()
        for writer in writers:
            writer.transport.abort()


async def main():
    allow_files(COUNT + 1000)
    for kind in KINDS:
        await measure(kind)


asyncio.run(main())
