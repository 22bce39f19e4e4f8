#!/usr/bin/env python3
"""How long a kick takes from the order to the client's socket, with many sessions over three directors.

Publish first: dotnet publish src/ImapDirector
Then:          benchmarks/kick-latency.py [sessions] [kicks]
Times count from the moment that the order is sent to the API of one director; the sessions of the user who is kicked are one at each director. Each director is
asked for its readiness once before, as whatever watches it does; the first order at each, which the runtime meets for the first time, is shown on its own.
"""
import asyncio
import gc
import math
import statistics
import sys
import time

from few_directors import Directors, allow_files, log_in

SESSIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
KICKS = int(sys.argv[2]) if len(sys.argv) > 2 else 100
DIRECTORS = 3
CROWD = 50  # users who have all the sessions that are not kicked
AT_ONCE = 40  # logins


async def main():
    allow_files(SESSIONS * 4)
    async with Directors(DIRECTORS, MaxSessionsPerUserAddress=100000, MaxSessionsPerUser=100000, MaxConnectionsPerAddress=100000, RedisTimeout="10s", BackendLoginTimeout="60s") as directors:
        await measure(directors)


async def measure(directors):
    await directors.add_users([f"kicked{number}@example.com" for number in range(KICKS)] + [f"crowd{number}@example.com" for number in range(CROWD)])
    turn = asyncio.Semaphore(AT_ONCE)

    async def enter(director, user):
        async with turn:
            reader, writer, answer = await log_in(directors[director].imap, user)
            assert answer.startswith(b"a OK"), answer
            return reader, writer

    begun = time.perf_counter()
    crowd = await asyncio.gather(*(enter(number % DIRECTORS, f"crowd{number % CROWD}@example.com") for number in range(SESSIONS - DIRECTORS * KICKS)))
    kicked = await asyncio.gather(*(enter(director, f"kicked{number}@example.com") for number in range(KICKS) for director in range(DIRECTORS)))
    for number in range(DIRECTORS):
        await directors.ask(number, "GET", "/readyz")
    print(f"{SESSIONS} sessions over {DIRECTORS} directors after {time.perf_counter() - begun:.0f} s")
    await asyncio.sleep(2)

    # Python's collector would look through all of the sessions in the middle of a kick.
    gc.collect()
    gc.disable()
    first, last, orders, sockets = [], [], [], []
    for number in range(KICKS):
        async def hear(reader):
            await reader.readline()
            return time.perf_counter()

        begun = time.perf_counter()
        heard = [asyncio.create_task(hear(kicked[number * DIRECTORS + director][0])) for director in range(DIRECTORS)]
        await directors.ask(number % DIRECTORS, "POST", "/api/v1/sessions/kick", {"user": f"kicked{number}@example.com"})
        answered = (time.perf_counter() - begun) * 1000
        times = [(one - begun) * 1000 for one in await asyncio.wait_for(asyncio.gather(*heard), 10)]
        if number < DIRECTORS:
            first += times
        else:
            sockets += times
            last.append(max(times))
            orders.append(answered)
        await asyncio.sleep(0.05)
    assert all(not reader.at_eof() for reader, _ in crowd), "somebody else was kicked"
    for name, values in (("each of the first", first), ("each socket", sockets), ("the last of three", last), ("the order's answer", orders)):
        values.sort()
        print(f"{name:20} median {statistics.median(values):6.1f} ms   99 of 100 {values[math.ceil(len(values) * 0.99) - 1]:6.1f} ms   at most {values[-1]:6.1f} ms")
    for _, writer in crowd:
        writer.close()


asyncio.run(main())
