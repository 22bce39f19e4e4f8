#!/usr/bin/env python3
"""Ten addresses guess passwords at two directors with all the connections that they may have, while others log in.

Publish first: dotnet publish src/ImapDirector
Then:          benchmarks/guessing.py [tries] [seconds]
It ends after that many answers, or that much time. "Checked" are guesses that were compared with a password; the others were turned away without that. Those who log
in with the right password do so again and again: somebody from elsewhere, the one whose account is guessed at from where they always are, the same from an
address that is new, and somebody beside one of the guessers, behind the same address.
"""
import asyncio
import itertools
import statistics
import sys
import time

from few_directors import Directors, allow_files, log_in, log_in_often

TRIES = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 600
GUESSERS = [f"127.5.0.{number}" for number in range(1, 11)]
CONNECTIONS = 45  # of each address at each director
VICTIMS = [f"victim{number}@example.com" for number in range(20)]
HONEST = {
    "from elsewhere": ("elsewhere@example.com", "127.6.0.1"),
    "guessed at, from where they are known": (VICTIMS[0], "127.6.0.2"),
    "guessed at, from a new address": (VICTIMS[1], "127.6.0.3"),
    "known, behind a guesser's address": ("neighbour@example.com", GUESSERS[0]),
    "new, behind a guesser's address": ("newcomer@example.com", GUESSERS[1]),
}
KNOWN = ("guessed at, from where they are known", "known, behind a guesser's address")


class Guesses:
    def __init__(self):
        self.sent, self.answers = 0, {}

    def note(self, answer):
        words = answer.split(b" ")
        word = words[2].decode().strip("[]\r\n") if len(words) > 2 and words[2].startswith(b"[") else answer.decode().strip()[:40]
        self.answers[word] = self.answers.get(word, 0) + 1

    @property
    def answered(self):
        return sum(self.answers.values())


async def guess(port, address, guesses):
    while True:
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            await reader.readline()
            while True:
                guesses.sent += 1
                writer.write(f"a LOGIN {VICTIMS[guesses.sent % len(VICTIMS)]} guess{guesses.sent}\r\n".encode())
                while not (line := await reader.readline()).startswith(b"a "):
                    if not line:
                        raise ConnectionError
                guesses.note(line)
        except OSError:
            await asyncio.sleep(0.5)
        finally:
            if writer:
                writer.close()


def take_turns(directors):
    ports = itertools.cycle([directors[0].imap, directors[1].imap])
    return lambda: next(ports)


async def main():
    allow_files(4000)
    async with Directors(2, MaxSessionsPerUserAddress=1000) as directors:
        await directors.add_users([*VICTIMS, *(user for user, _ in HONEST.values())])
        for who in KNOWN:
            user, address = HONEST[who]
            _, writer, answer = await log_in(directors[0].imap, user, address=address)
            assert answer.startswith(b"a OK"), answer
            writer.close()
        before = await directors.count("imapdirector_logins_total", result="wrong_password")
        guesses, outcomes = Guesses(), {who: ([], []) for who in HONEST}
        begun = time.perf_counter()
        tasks = [asyncio.create_task(guess(directors[number].imap, address, guesses)) for number in range(2) for address in GUESSERS for _ in range(CONNECTIONS)]
        await asyncio.sleep(5)
        tasks += [asyncio.create_task(log_in_often(take_turns(directors), user, address, 1, *outcomes[who])) for who, (user, address) in HONEST.items()]
        while guesses.answered < TRIES and time.perf_counter() - begun < SECONDS:
            await asyncio.sleep(0.5)
        minutes = (time.perf_counter() - begun) / 60
        checked = await directors.count("imapdirector_logins_total", result="wrong_password") - before
        for task in tasks:
            task.cancel()
    print(f"{guesses.answered} guesses were answered in {minutes:.1f} minutes; {checked:.0f} were checked, {checked / minutes:.0f} a minute over all, {checked / minutes / len(GUESSERS):.1f} an address")
    print("answers: " + ", ".join(f"{count} {answer}" for answer, count in sorted(guesses.answers.items(), key=lambda one: -one[1])))
    for who, (times, failures) in outcomes.items():
        times.sort()
        figures = f"{len(times)} logins, {statistics.median(times) * 1000:.0f} ms median, {times[-1] * 1000:.0f} at most" if times else "no login"
        print(f"{who:40} {figures}; {len(failures)} refused{f', such as {failures[0]!r}' if failures else ''}")


asyncio.run(main())
