"""One figure is one thing measured at both servers in turn, several times, so that what else the machine does meets both."""
import dataclasses
import statistics
import sys
import time

from . import clients, processes


@dataclasses.dataclass
class Figure:
    name: str
    unit: str                                                # of `cpu`
    cpu: dict = dataclasses.field(default_factory=dict)      # server → value
    wall: dict = dataclasses.field(default_factory=dict)     # server → value
    missing: dict = dataclasses.field(default_factory=dict)  # server → why there is no value


def say(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def why(failure):
    """A refusal as the table shows it."""
    return f"refused: {failure}" if isinstance(failure, clients.Refused) else f"failed: {type(failure).__name__}"


class Stopwatch:
    """CPU seconds of a server and the wall time between `with` and its end."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.before = processes.settled_cpu_seconds(self.server.pid)
        self.begun = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self.begun
        self.cpu = processes.settled_cpu_seconds(self.server.pid) - self.before


def measure(figure, servers, run, repetitions):
    """`run(server)` gives (CPU seconds per unit of work, wall value); the medians go into the figure."""
    values = {server: [] for server in servers}
    for _ in range(repetitions):
        for server in servers:
            if server.name not in figure.missing:
                try:
                    values[server].append(run(server))
                except (clients.Refused, OSError) as failure:
                    figure.missing[server.name] = why(failure)
    for server, measured in values.items():
        if measured and server.name not in figure.missing:
            figure.cpu[server.name] = statistics.median(cpu for cpu, _ in measured)
            figure.wall[server.name] = statistics.median(wall for _, wall in measured)
    say(f"{figure.name}: CPU {figure.cpu} {figure.unit}, wall {figure.wall} {figure.missing or ''}")
    return figure
