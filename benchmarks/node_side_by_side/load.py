"""Many at once: mixed sessions, deliveries, and sessions that only wait."""
import itertools
import queue
import threading
import time

from . import clients, messages, processes
from .figures import Figure, Stopwatch, measure, say, why

SESSIONS_AT_ONCE, DELIVERIES_AT_ONCE, DELIVERY_USERS, STARTING_MAIL = 50, 32, 200, 20


def at_once(count, work):
    """`work(number)` in so many threads; the first failure of any is raised here."""
    failures = queue.SimpleQueue()

    def run(number):
        try:
            work(number)
        except Exception as failure:  # handed to the caller
            failures.put(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not failures.empty():
        raise failures.get()


def delivery_messages(count):
    """Of 8 KB, within a line."""
    return [message for message, _, _ in itertools.islice(messages.Mail(seed=2, minimum=8000, maximum=8001), count)]


def mixed_sessions(servers, sessions, repetitions):
    """What a client does between login and logout; a user has one session at a time."""
    texts = delivery_messages(64)

    def one(server, user, text):
        client = server.login(user)
        client.command('LIST "" "*"')
        client.command("SELECT INBOX")
        client.append("INBOX", text)
        found = client.command("UID SEARCH UNDELETED").split(b"\r\n")
        uids = next(line for line in found if line.startswith(b"* SEARCH")).split()[2:]
        last = uids[-1].decode()
        client.command(f"UID FETCH {uids[0].decode()}:* (UID FLAGS ENVELOPE)")
        client.command(f"UID FETCH {last} (BODY.PEEK[])")
        client.command(f"UID STORE {last} +FLAGS (\\Seen)")
        client.done(client.idle())
        client.command(f"UID STORE {last} +FLAGS.SILENT (\\Deleted)")
        client.command("EXPUNGE")
        client.command("LOGOUT")
        client.close()

    def run(server):
        each = max(1, sessions // SESSIONS_AT_ONCE)

        def work(number):
            for turn in range(each):
                one(server, f"mixed{number}@example.com", texts[(number + turn) % len(texts)])

        with Stopwatch(server) as watch:
            at_once(SESSIONS_AT_ONCE, work)
        return watch.cpu / (each * SESSIONS_AT_ONCE) * 1000, each * SESSIONS_AT_ONCE / watch.wall

    for server in servers:
        for number in range(SESSIONS_AT_ONCE):
            client = server.login(f"mixed{number}@example.com")
            for text in texts[:STARTING_MAIL]:
                client.append("INBOX", text)
            client.close()
        run(server)
    return measure(Figure(f"a mixed session, {SESSIONS_AT_ONCE} at once", "ms each"), servers, run, repetitions)


def deliveries(servers, count, repetitions):
    texts = delivery_messages(64)

    def run(server):
        connections = [clients.Lmtp(server.lmtp) for _ in range(DELIVERIES_AT_ONCE)]
        each = max(1, count // DELIVERIES_AT_ONCE)

        def work(number):
            for turn in range(each):
                mail = number + turn * DELIVERIES_AT_ONCE
                connections[number].deliver(f"deliver{mail % DELIVERY_USERS}@example.com", texts[mail % len(texts)])

        with Stopwatch(server) as watch:
            at_once(DELIVERIES_AT_ONCE, work)
        for connection in connections:
            connection.close()
        return watch.cpu / (each * DELIVERIES_AT_ONCE) * 1000, each * DELIVERIES_AT_ONCE / watch.wall

    for server in servers:
        run(server)
    return measure(Figure(f"an LMTP delivery of 8 KB, {DELIVERIES_AT_ONCE} connections, {DELIVERY_USERS} users", "ms each"), servers, run, repetitions)


def memory(server, prepare, settle):
    """(KB that `prepare(server)`, which gives the sessions to keep, adds to a server that was just started and has served a few sessions; KB of all then)"""
    server.restart()
    for number in range(20):
        first = server.login(f"first{number}@example.com")
        first.command("SELECT INBOX")
        first.command("LOGOUT")
        first.close()
    time.sleep(3)
    before = processes.pss_kilobytes(server.pid)
    sessions = prepare(server)
    time.sleep(settle)
    after, count = processes.pss_kilobytes(server.pid), len(processes.tree(server.pid))
    for session in sessions:
        session.close()
    say(f"{server.name}: {before} KB before, {after} KB with {len(sessions)} sessions in {count} processes")
    return after - before, after


def fill_idlers(server, count):
    text = delivery_messages(1)[0]

    def work(number):
        connection = clients.Lmtp(server.lmtp)
        for user in range(number, count, 8):
            connection.deliver(f"idle{user}@example.com", text)
        connection.close()

    at_once(8, work)


# A store that nobody has used for some seconds gives its files back, and a process may not have as many as all these stores would take at once.
IDLERS_AT_ONCE = 500
PAUSE = 25


def idle_memory(servers, count, settle=30):
    def prepare(server):
        sessions = []
        for number in range(count):
            if number and number % IDLERS_AT_ONCE == 0:
                time.sleep(PAUSE)
            session = server.login(f"idle{number}@example.com")
            session.command("SELECT INBOX")
            session.idle()
            sessions.append(session)
        return sessions

    return remembered(Figure(f"an idling session, {count:,} of as many users", "KB"), servers, prepare, settle, count)


def mailbox_memory(servers, user, count):
    def prepare(server):
        session = server.login(user)
        session.command("SELECT big")
        session.command("FETCH 1:* (UID FLAGS)", keep=False)
        return [session]

    return remembered(Figure(f"a mailbox of {count:,} messages, selected and its flags fetched", "MB"), servers, prepare, 3, 1024)


def remembered(figure, servers, prepare, settle, divisor):
    """`cpu` of the figure is what was added, in its unit; `wall` what the server has in all, in MB."""
    for server in servers:
        try:
            added, total = memory(server, prepare, settle)
            figure.cpu[server.name], figure.wall[server.name] = added / divisor, total / 1024
        except (clients.Refused, OSError) as failure:
            figure.missing[server.name] = why(failure)
    say(f"{figure.name}: {figure.cpu} {figure.unit} {figure.missing or ''}")
    return figure
