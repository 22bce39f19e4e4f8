"""Commands on one large mailbox."""
import contextlib
import itertools
import time

from . import clients, messages, processes
from .figures import Figure, Stopwatch, measure, say

USER = "big@example.com"
BATCH = 100
WARM_SECONDS = 2
# Of short commands so many are measured at once: CPU time comes in ticks of 10 ms.
SECONDS = 1


def fill(server, count, seed):
    """The same messages in the same order; gives their bytes."""
    session = server.login(USER)
    session.command("CREATE big")
    many = "MULTIAPPEND" in session.capabilities()
    total, begun, last_said = 0, time.monotonic(), 0.0
    mail = messages.Mail(seed)
    for first in range(0, count, BATCH):
        batch = list(itertools.islice(mail, min(BATCH, count - first)))
        total += sum(len(message) for message, _, _ in batch)
        commands = [clients.append_command("big", *one) for one in batch]
        if many:
            tags = [session.send(commands[0] + b"".join(command[len("APPEND big"):] for command in commands[1:]))]
        else:
            tags = [session.send(command) for command in commands]
        session.finish(tags[-1])
        if first % 4000 == 0:
            # Takes \Recent from what is there; counting it is no part of what filling is for.
            session.command("SELECT big")
            session.command("UNSELECT")
        if time.monotonic() - last_said > 15:
            last_said = time.monotonic()
            say(f"{server.name}: {first + len(batch)} of {count} messages after {last_said - begun:.0f} s")
    session.close()
    return total


class LargeMailbox:
    """A session per server that has the mailbox selected."""

    def __init__(self, servers, count, repetitions):
        self.servers, self.count, self.repetitions = servers, count, repetitions
        self.sessions = {server: server.login(USER) for server in servers}
        self.capabilities = {server: set(session.capabilities()) for server, session in self.sessions.items()}
        for server, session in self.sessions.items():
            session.command("SELECT big")
            # Whatever a server makes of a mailbox when it is first searched or sorted is there before anything is measured.
            for command in ("SEARCH BODY nonesuch", "SORT (DATE) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL"):
                with contextlib.suppress(clients.Refused):
                    session.command(command, keep=False)
            processes.wait_until_quiet(server.pid)

    def figures(self):
        yield self.timed("`SELECT` once more", "SELECT big")
        yield self.new_sessions()
        yield self.timed("`FETCH 1:* (UID FLAGS)`", "FETCH 1:* (UID FLAGS)")
        yield self.timed("`FETCH 1:* (UID ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)`", "FETCH 1:* (UID ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)")
        yield self.timed("`FETCH` of 1,000 whole messages", "FETCH 1:1000 (UID BODY.PEEK[])")
        yield self.timed("`UID SEARCH FROM x SINCE y`", 'UID SEARCH FROM "clara.berg" SINCE 1-Mar-2020')
        yield self.timed("`SEARCH BODY word`", f"SEARCH BODY {messages.RARE_WORD}")
        yield self.timed("`SORT (REVERSE DATE) UTF-8 ALL`", "SORT (REVERSE DATE) UTF-8 ALL", needs=("SORT",))
        yield self.timed("`THREAD REFERENCES UTF-8 ALL`", "THREAD REFERENCES UTF-8 ALL", needs=("THREAD=REFERENCES",))
        yield self.timed("`STORE 1:* +FLAGS.SILENT (\\Flagged)` and back, mean", "STORE 1:* +FLAGS.SILENT (\\Flagged)", undo="STORE 1:* -FLAGS.SILENT (\\Flagged)")
        yield self.resync()
        yield self.expunge()

    def offered(self, figure, needs):
        for server in self.servers:
            if not set(needs) <= self.capabilities[server]:
                figure.missing[server.name] = "not offered"
        return figure

    def timed(self, name, command, needs=(), undo=None):
        """What a command costs after it was run for a while without counting, so that caches are warm and code is compiled. Short ones run several times inside one
        measurement. With `undo` both are run in turn, and the mean of both counts."""
        figure = self.offered(Figure(name, "s"), needs)
        commands = [command, undo] if undo else [command]
        rounds = {}

        def once(session):
            for each in commands:
                session.command(each, keep=False)

        def run(server):
            session = self.sessions[server]
            if server not in rounds:
                warm = time.perf_counter() + WARM_SECONDS
                once(session)
                while time.perf_counter() < warm:
                    once(session)
                begun = time.perf_counter()
                once(session)
                rounds[server] = max(1, min(10_000, int(SECONDS / (time.perf_counter() - begun))))
            with Stopwatch(server) as watch:
                for _ in range(rounds[server]):
                    once(session)
            times = rounds[server] * len(commands)
            return watch.cpu / times, watch.wall / times

        return measure(figure, self.servers, run, self.repetitions)

    def new_sessions(self):
        """No other session has the mailbox open."""
        for session in self.sessions.values():
            session.command("UNSELECT")

        def once(server):
            session = server.login(USER)
            session.command("SELECT big")
            session.command("LOGOUT")
            session.close()

        warm = set()

        def run(server):
            times = 300
            if server not in warm:
                warm.add(server)
                for _ in range(times):
                    once(server)
            with Stopwatch(server) as watch:
                for _ in range(times):
                    once(server)
            return watch.cpu / times, watch.wall / times

        figure = measure(Figure("login, `SELECT`, `LOGOUT` of one session", "s"), self.servers, run, self.repetitions)
        for session in self.sessions.values():
            session.command("SELECT big")
        return figure

    def resync(self):
        """A client that was away while one message of a hundred changed."""
        figure = self.offered(Figure("QRESYNC after 1 % changed", "s"), ("QRESYNC",))
        changed = f"{','.join(str(number) for number in range(1, self.count + 1, 100))}"

        def run(server):
            session = self.sessions[server]
            session.command("UNSELECT", keep=False)
            away = server.login(USER)
            away.command("ENABLE QRESYNC")
            answer = away.command("SELECT big").decode()
            valid, modseq = (answer.partition(f"[{word} ")[2].partition("]")[0] for word in ("UIDVALIDITY", "HIGHESTMODSEQ"))
            away.command("UNSELECT")
            session.command("SELECT big", keep=False)
            for change in ("+", "-"):
                session.command(f"STORE {changed} {change}FLAGS.SILENT ($Resync)", keep=False)
            times = 25
            with Stopwatch(server) as watch:
                for _ in range(times):
                    away.command(f"SELECT big (QRESYNC ({valid} {modseq} 1:{self.count * 9}))", keep=False)
            away.close()
            return watch.cpu / times, watch.wall / times

        return measure(figure, self.servers, run, self.repetitions)

    def expunge(self):
        """Of half of a copy of the mailbox, every second message; the originals keep the bodies alive at both servers."""
        figure = Figure("`EXPUNGE` of half", "s")

        def run(server):
            session = self.sessions[server]
            session.command("SELECT big", keep=False)
            session.command("CREATE copy")
            session.command("COPY 1:* copy", keep=False)
            session.command("SELECT copy", keep=False)
            # In pieces, so that no command line grows too long for a server.
            for first in range(1, self.count + 1, 2000):
                odd = ",".join(str(number) for number in range(first, min(first + 2000, self.count + 1), 2))
                session.command(f"STORE {odd} +FLAGS.SILENT (\\Deleted)", keep=False)
            with Stopwatch(server) as watch:
                session.command("EXPUNGE", keep=False)
            session.command("SELECT big", keep=False)
            session.command("DELETE copy")
            return watch.cpu, watch.wall

        return measure(figure, self.servers, run, self.repetitions)

    def close(self):
        for session in self.sessions.values():
            session.close()
