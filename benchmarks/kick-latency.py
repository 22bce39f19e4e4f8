#!/usr/bin/env python3
"""How long a kick takes from the order to the client's socket, with many sessions over three directors.

Build first:  dotnet build -c Release src/ImapDirector
Then:         benchmarks/kick-latency.py [sessions] [kicks]
It starts a redis-server, three directors and an IMAP server that says yes to everything, all on loopback, and ends them. "In all" counts from the moment that the
order is sent to the API of one director; the sessions of the user who is kicked are one at each director.
"""
import asyncio
import json
import pathlib
import resource
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SESSIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
KICKS = int(sys.argv[2]) if len(sys.argv) > 2 else 100
DIRECTORS = 3
PROGRAM = pathlib.Path(__file__).parent.parent / "src/ImapDirector/bin/Release/net10.0/imapdirector.dll"
PASSWORD = "secret"
CROWD = 50  # users who have all the sessions that are not kicked
AT_ONCE = 40  # logins


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def node(reader, writer):
    """Says yes to everything."""
    try:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID] ready\r\n")
        while line := await reader.readline():
            words = line.split()
            if len(words) < 2:
                continue
            if words[1].upper() == b"AUTHENTICATE" and len(words) < 4:
                writer.write(b"+ \r\n")
                await reader.readline()
            if words[1].upper() == b"ID":
                writer.write(b"* ID NIL\r\n")
            writer.write(words[0] + b" OK [CAPABILITY IMAP4rev1 IDLE] done\r\n")
            await writer.drain()
    except (ConnectionError, asyncio.LimitOverrunError, asyncio.CancelledError):
        pass  # the end of a session, or of it all
    finally:
        writer.close()


async def log_in(port, user):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(f"a LOGIN {user} {PASSWORD}\r\n".encode())
    while not (line := await reader.readline()).startswith(b"a "):
        assert line, "the director has closed the connection"
    assert line.startswith(b"a OK"), line
    return reader, writer


async def ask(port, token, method, path, body=None):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = json.dumps(body).encode() if body is not None else b""
    kind = "Content-Type: application/json\r\n" if data else ""
    writer.write(f"{method} /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{kind}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ")[1][:1] == b"2", answer
    return answer


async def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert hard >= SESSIONS * 4, f"{hard} files may be open, and {SESSIONS * 4} are needed"
    programs = []
    with tempfile.TemporaryDirectory() as directory:
        try:
            await measure(pathlib.Path(directory), programs)
        finally:
            # Redis was started first, and goes last.
            for some in (programs[1:], programs[:1]):
                for program in some:
                    program.send_signal(signal.SIGTERM)
                for program in some:
                    try:
                        program.wait(20)
                    except subprocess.TimeoutExpired:
                        program.kill()


async def measure(directory, programs):
    redis, node_port, token = free_port(), free_port(), secrets.token_hex(32)
    (directory / "token").write_text(token)
    programs.append(subprocess.Popen(["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--dir", directory], stdout=subprocess.DEVNULL))
    server = await asyncio.start_server(node, "127.0.0.1", node_port, backlog=1024)
    directors = []
    for number in range(DIRECTORS):
        imap, http = free_port(), free_port()
        configuration = {
            "Name": f"director{number}", "Imap": f"127.0.0.1:{imap}", "Http": f"127.0.0.1:{http}", "ApiTokenFile": str(directory / "token"), "Redis": f"127.0.0.1:{redis}",
            "SelfSignedDirectory": str(directory / f"tls{number}"), "MaxSessionsPerUserAddress": 100000, "MaxConnectionsPerAddress": 100000, "LogLevel": "Warning",
            "RedisTimeout": "10s", "BackendLoginTimeout": "60s", "DrainTimeout": "1s",
            "Nodes": [{"Name": "node1", "Host": "127.0.0.1", "ImapPort": node_port, "MasterPassword": "sixteen letters!"}],
        }
        file = directory / f"director{number}.json"
        file.write_text(json.dumps(configuration))
        program = subprocess.Popen(["dotnet", "exec", PROGRAM, "director", "--config", file], stdout=subprocess.PIPE, text=True)
        programs.append(program)
        directors.append((imap, http))
    for program in programs[1:]:
        while (line := await asyncio.to_thread(program.stdout.readline)).strip() != "READY":
            assert line, "a director did not start"
    # One account's hash serves all: what a password costs is not what is measured here.
    await ask(directors[0][1], token, "POST", "/users", {"name": "crowd@example.com", "password": PASSWORD})
    redis_cli = ["redis-cli", "-p", str(redis)]
    hashed = subprocess.run([*redis_cli, "HGET", "imapdirector:{crowd@example.com}:account", "password"], capture_output=True, text=True, check=True).stdout.strip()
    users = [f"kicked{number}@example.com" for number in range(KICKS)] + [f"crowd{number}@example.com" for number in range(CROWD)]
    accounts = "".join(f"HSET imapdirector:{{{user}}}:account password {hashed} created 1\n" for user in users)
    subprocess.run(redis_cli, input=accounts, text=True, stdout=subprocess.DEVNULL, check=True)
    turn = asyncio.Semaphore(AT_ONCE)

    async def enter(director, user):
        async with turn:
            return await log_in(directors[director][0], user)

    begun = time.perf_counter()
    crowd = await asyncio.gather(*(enter(number % DIRECTORS, f"crowd{number % CROWD}@example.com") for number in range(SESSIONS - DIRECTORS * KICKS)))
    kicked = await asyncio.gather(*(enter(director, f"kicked{number}@example.com") for number in range(KICKS) for director in range(DIRECTORS)))
    print(f"{SESSIONS} sessions over {DIRECTORS} directors after {time.perf_counter() - begun:.0f} s")
    await asyncio.sleep(2)

    last, orders, sockets = [], [], []
    for number in range(KICKS):
        async def hear(reader):
            await reader.readline()
            return time.perf_counter()

        begun = time.perf_counter()
        heard = [asyncio.create_task(hear(kicked[number * DIRECTORS + director][0])) for director in range(DIRECTORS)]
        await ask(directors[number % DIRECTORS][1], token, "POST", "/sessions/kick", {"user": f"kicked{number}@example.com"})
        orders.append((time.perf_counter() - begun) * 1000)
        times = [(one - begun) * 1000 for one in await asyncio.wait_for(asyncio.gather(*heard), 10)]
        sockets += times
        last.append(max(times))
        await asyncio.sleep(0.05)
    assert all(not reader.at_eof() for reader, _ in crowd), "somebody else was kicked"
    for name, values in (("each socket", sockets), ("the last of three", last), ("the order's answer", orders)):
        values.sort()
        print(f"{name:20} median {statistics.median(values):6.1f} ms   99 of 100 {values[int(len(values) * 0.99) - 1]:6.1f} ms   at most {values[-1]:6.1f} ms")
    for _, writer in crowd:
        writer.close()
    server.close()


asyncio.run(main())
