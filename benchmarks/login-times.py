#!/usr/bin/env python3
"""Whether the time of a refusal tells why: a user who is not there, a wrong password, a user who is disabled.

Publish first: dotnet publish src/ImapDirector
Then:          benchmarks/login-times.py [tries of each]
The delay before each refusal is off, so that what it hides is seen; the guesser's network is exempt from throttling. The three take turns in random order on one
connection each time. A difference is that of two means, with its interval of 95 %.
"""
import asyncio
import math
import random
import statistics
import sys
import time

from few_directors import Directors

TRIES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
KINDS = {"wrong password": "known{}@example.com", "no such user": "nobody{}@example.com", "disabled": "disabled{}@example.com"}
USERS = 50


async def main():
    async with Directors(1, FailureDelay="0s", Throttle={"ExemptNetworks": ["127.0.0.0/8"]}) as directors:
        await directors.add_users([KINDS["wrong password"].format(number) for number in range(USERS)])
        await directors.add_users([KINDS["disabled"].format(number) for number in range(USERS)], disabled=1)
        order = [kind for kind in KINDS for _ in range(TRIES)]
        random.seed(1)
        random.shuffle(order)
        times = {kind: [] for kind in KINDS}
        for number, kind in enumerate([*random.sample(order, 60), *order]):
            user = KINDS[kind].format(random.randrange(USERS))
            reader, writer = await asyncio.open_connection("127.0.0.1", directors[0].imap)
            await reader.readline()
            begun = time.perf_counter()
            writer.write(f"a LOGIN {user} wrong{number}\r\n".encode())
            answer = await reader.readline()
            taken = time.perf_counter() - begun
            assert b"AUTHENTICATIONFAILED" in answer, answer
            if number >= 60:
                times[kind].append(taken * 1000)
            writer.close()
        for kind, values in times.items():
            print(f"{kind:16} median {statistics.median(values):7.2f} ms, mean {statistics.fmean(values):7.2f} ms, deviation {statistics.stdev(values):.2f} ms")
        reference = times["wrong password"]
        for kind in list(KINDS)[1:]:
            values = times[kind]
            error = math.sqrt(statistics.variance(values) / len(values) + statistics.variance(reference) / len(reference))
            difference = statistics.fmean(values) - statistics.fmean(reference)
            print(f"{kind} against wrong password: {difference:+.3f} ms, 95 % of {difference - 1.96 * error:+.3f} to {difference + 1.96 * error:+.3f} ms; medians {statistics.median(values) - statistics.median(reference):+.3f} ms")


asyncio.run(main())
