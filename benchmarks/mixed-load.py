#!/usr/bin/env python3
"""Whether the director's memory stays where it is under load of every kind at once, for as long as one likes.

Publish first: dotnet publish src/ImapDirector
Then:          benchmarks/mixed-load.py [minutes] [program]
Logins, NOOP, FETCH of 4 KB to 10 MB and APPEND, in the clear and with TLS, all at once through one director, in rounds of twenty seconds; 500 sessions idle all the while. Between two rounds, when
nothing is done any more, the director's memory is read. The first two minutes count as warming up.
"""
import os
import pathlib
import resource
import shutil
import sys
import tempfile
import time

from node_side_by_side import processes
from side_by_side import peers
from side_by_side.measuring import WORKS, Load, log_everybody_in, say

MINUTES = float(sys.argv[1]) if len(sys.argv) > 1 else 30
PUBLISHED = (peers.REPOSITORY / "src/ImapDirector/bin/Release/net10.0").glob("*/publish/imapdirector")
PROGRAM = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else next(PUBLISHED, "imapdirector")).resolve()
ROUND = 20
WARMING = 120
IDLE = 250  # in the clear, and as many with TLS


def one_round(home, director):
    """All kinds of work at once; gives how much was done of each."""
    loads = [(work, tls, Load(home, director, work.mode, tls, max(2, work.connections // 4), ROUND, work.size)) for work in WORKS if not work.rate for tls in (False, True)]
    for _, _, load in loads:
        load.go()
    done = {}
    for work, tls, load in loads:
        operations, _, _, _, _, errors = load.result()
        load.end()
        if errors:
            raise RuntimeError(f"{work.name}: {errors} errors")
        done[f"{work.name.partition(',')[0]}{', TLS' if tls else ''}"] = int(operations)
    return done


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    peers.find_programs(may_install=os.geteuid() == 0)
    home = pathlib.Path(tempfile.mkdtemp(prefix="mixed-load-"))
    home.chmod(0o755)
    stub = director = None
    try:
        peers.build_tools(home)
        stub = peers.Stub(home)
        stub.start()
        director = peers.ImapDirector(home, stub.plain, PROGRAM, [])
        director.start()
        for tls in (False, True):
            log_everybody_in(home, director, tls)
        idle = [Load(home, director, "idle", tls, IDLE, 1, 0) for tls in (False, True)]
        began, samples, total = time.monotonic(), [], {}
        while time.monotonic() - began < MINUTES * 60:
            for name, count in one_round(home, director).items():
                total[name] = total.get(name, 0) + count
            processes.settled_cpu_seconds(director.pid)
            at, memory = time.monotonic() - began, processes.pss_kilobytes(director.pid) / 1024
            say(f"{at / 60:5.1f} min: {memory:.0f} MB")
            if at >= WARMING:
                samples.append(memory)
        for load in idle:
            load.go()
            alive, _, _, _, _, errors = load.result()
            load.end()
            if errors or alive != IDLE:
                raise RuntimeError(f"of {IDLE} idle sessions {alive:.0f} are alive")
        if not samples:
            raise SystemExit("It has to run for more than two minutes.")
        fifth = max(1, len(samples) // 5)
        print("done: " + ", ".join(f"{name} {count:,}" for name, count in total.items()))
        print(f"memory, {MINUTES:g} minutes, {len(samples)} samples: first {samples[0]:.0f} MB, last {samples[-1]:.0f} MB; mean of the first fifth {sum(samples[:fifth]) / fifth:.0f}, "
              f"of the last {sum(samples[-fifth:]) / fifth:.0f}; {min(samples):.0f} to {max(samples):.0f} MB")
    finally:
        for process in (director, stub):
            if process:
                process.stop()
        if director:
            director.stop_redis()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
