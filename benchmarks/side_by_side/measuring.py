"""One figure is one kind of work done through every proxy in turn, several times, so that what else the machine does meets all of them."""
import dataclasses
import statistics
import subprocess
import sys
import time

from node_side_by_side import processes

from .peers import USERS

# What is not done yet when the last answer is there, such as the closing of sessions, counts too.
SETTLING = 0.3
# The kernel counts processor time in hundredths of a second: five of a thousand want a while to be seen. The median of three: what is done every few minutes, or compiled because it has been done often
# enough by now, meets one of them.
IDLE_SECONDS = 20
IDLE_ROUNDS = 3
# On a busy machine it takes a while until all that is needed has been compiled, and the rounds before differ too little to tell: a login has its last price behind
# sixteen seconds, which eight rounds take where they are not shorter than two (--quick has some of one).
LEAST_WARMING = 8
MOST_WARMING = 16
# Memory is given back some time after the last work (a director waits for half a minute since the last time, or 300 times as long as that took): everybody has that time, before sessions are opened and behind it.
MEMORY_SECONDS = 75
# For so long a director remembers that a password was right. No round of logins is begun that would outlast it: its hashes, 20 ms each, are no part of a login with credentials that are at hand.
REMEMBERED_SECONDS = 60
MARGIN_SECONDS = 5


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    mode: str
    connections: int
    size: int
    unit: str  # µs or ms for each operation, or s for each GB
    rate: int = 0  # Logins begun each second; 0 for as many as there can be.


WORKS = (
    Work("login", "login", 20, 0, "ms"),
    Work("login, 400 each second", "login", 100, 0, "ms", 400),
    Work("NOOP, 50 sessions", "noop", 50, 0, "µs"),
    Work("FETCH 4 KB, 20 sessions", "fetch", 20, 4096, "µs"),
    Work("FETCH 64 KB, 10 sessions", "fetch", 10, 65536, "s/GB"),
    Work("FETCH 10 MB, 4 sessions", "fetch", 4, 10485760, "s/GB"),
    Work("APPEND 64 KB, 10 sessions", "append", 10, 65536, "s/GB"),
)


@dataclasses.dataclass
class Row:
    """Medians by the proxy's name."""
    name: str
    tls: bool
    unit: str
    cpu: dict = dataclasses.field(default_factory=dict)
    p50: dict = dataclasses.field(default_factory=dict)
    p99: dict = dataclasses.field(default_factory=dict)


def say(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


class Load:
    """The load generator, held between its steps."""

    def __init__(self, home, proxy, mode, tls, connections, seconds, size, rate=0):
        self.process = subprocess.Popen([home / "tools/load", mode, str(proxy.tls if tls else proxy.plain), "tls" if tls else "plain", str(connections), str(seconds), str(size), str(USERS), str(rate)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.setup = float(self.words("ready")[0])

    def words(self, expected):
        line = self.process.stdout.readline().split()
        if not line or line[0] != expected:
            raise RuntimeError(f"The load generator said {line} instead of {expected}.")
        return line[1:]

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def result(self):
        operations, count, took, p50, p99, errors = map(float, self.words("done"))
        return operations, count, took, p50, p99, int(errors)

    def end(self):
        self.go()
        self.process.wait(60)


def log_everybody_in(home, proxy, tls):
    """Uncounted, so that the passwords of all users have just been checked."""
    logins = 0
    while logins < 3 * USERS:
        load = Load(home, proxy, "login", tls, USERS, 1, 0)
        load.go()
        logins += load.result()[0]
        load.end()


def have_everybody_remembered(home, proxy, tls, seconds):
    ends = proxy.remembers_until - time.monotonic()
    if ends < seconds + MARGIN_SECONDS:
        # And a little more: not all were checked at once.
        time.sleep(max(0, ends) + 2)
        proxy.remembers_until = time.monotonic() + REMEMBERED_SECONDS
    log_everybody_in(home, proxy, tls)


def work_once(home, proxy, work, tls, seconds):
    """CPU for each unit, and the latencies in microseconds."""
    if work.mode == "login":
        have_everybody_remembered(home, proxy, tls, seconds)
    load = Load(home, proxy, work.mode, tls, work.connections, seconds, work.size, work.rate)
    before = processes.cpu_seconds(proxy.pid)
    load.go()
    operations, count, _, p50, p99, errors = load.result()
    if work.mode == "login":
        time.sleep(SETTLING)
    cpu = processes.cpu_seconds(proxy.pid) - before
    load.end()
    if errors or not operations:
        raise RuntimeError(f"{proxy.name}, {work.name}: {errors} errors")
    per = {"ms": cpu / operations * 1e3, "µs": cpu / operations * 1e6, "s/GB": cpu / max(count, 1) * 1e9}[work.unit]
    return per, p50, p99


def warm_up(home, proxy, work, tls, seconds):
    """Uncounted rounds, some at least, until one is no cheaper than the one before: code is compiled by then, caches are filled. Work with a rate is warmed up without it."""
    work = dataclasses.replace(work, rate=0)
    last = float("inf")
    for done in range(MOST_WARMING):
        cost = work_once(home, proxy, work, tls, seconds)[0]
        if cost > last * 0.95 and done >= LEAST_WARMING - 1:
            return
        last = cost


def measure(home, proxies, work, tls, seconds, repetitions):
    row = Row(f"{work.name}, TLS" if tls else work.name, tls, work.unit)
    values = {proxy.name: [] for proxy in proxies}
    for proxy in proxies:
        warm_up(home, proxy, work, tls, seconds)
    for _ in range(repetitions):
        for proxy in proxies:
            values[proxy.name].append(work_once(home, proxy, work, tls, seconds))
    for name, measured in values.items():
        row.cpu[name], row.p50[name], row.p99[name] = (statistics.median(column) for column in zip(*measured))
    spread = {name: sorted(value[0] for value in measured) for name, measured in values.items()}
    say(f"{row.name}: " + ", ".join(f"{name} {value:.4g} ({spread[name][0]:.4g} to {spread[name][-1]:.4g})" for name, value in row.cpu.items()) + f" {row.unit}")
    return row


@dataclasses.dataclass
class Idle:
    """What idle sessions cost, by the proxy's name: KB of its memory for each, and milliseconds of processor time each second for all."""
    sessions: int
    tls: bool
    memory: dict = dataclasses.field(default_factory=dict)
    cpu: dict = dataclasses.field(default_factory=dict)


def settle(proxy, patience):
    processes.wait_until_quiet(proxy.pid, 60)
    time.sleep(patience)


def idle_once(proxy, seconds):
    """Milliseconds of processor time each second."""
    before = processes.cpu_seconds(proxy.pid)
    time.sleep(seconds)
    return (processes.cpu_seconds(proxy.pid) - before) / seconds * 1e3


def idle(home, proxies, sessions, tls, seconds, patience):
    row = Idle(sessions, tls)
    for proxy in proxies:
        proxy.restart()
        log_everybody_in(home, proxy, tls)
        settle(proxy, patience)
        before = processes.pss_kilobytes(proxy.pid)
        load = Load(home, proxy, "idle", tls, sessions, 1, 0)
        # What logins have left to be compiled or collected is not theirs.
        settle(proxy, patience)
        row.cpu[proxy.name] = statistics.median(idle_once(proxy, seconds) for _ in range(IDLE_ROUNDS))
        row.memory[proxy.name] = (processes.pss_kilobytes(proxy.pid) - before) / sessions
        load.go()
        alive, _, _, _, _, errors = load.result()
        load.end()
        if errors or alive != sessions:
            raise RuntimeError(f"{proxy.name}: of {sessions} idle sessions {alive:.0f} are alive")
        say(f"{sessions} idle sessions{', TLS' if tls else ''}, {proxy.name}: {row.memory[proxy.name]:.1f} KB each, {row.cpu[proxy.name]:.1f} ms/s, set up in {load.setup:.1f} s")
    return row
