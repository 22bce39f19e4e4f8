"""Redis, a few directors and an IMAP server that says yes to everything, all on loopback: what the programs beside this file put to the test."""
import asyncio
import json
import pathlib
import resource
import secrets
import signal
import socket
import ssl
import subprocess
import tempfile
import time

RELEASE = pathlib.Path(__file__).parent.parent / "src/ImapDirector/bin/Release/net10.0"
PROGRAM = next(iter(RELEASE.glob("*/publish/imapdirector.dll")), None)
assert PROGRAM, "publish first: dotnet publish src/ImapDirector"
PASSWORD = "secret"


def allow_files(count):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert hard >= count, f"{hard} files may be open, and {count} are needed"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Director:
    """One that runs: its ports and its process."""

    def __init__(self, imap, imaps, http, process):
        self.imap, self.imaps, self.http, self.process = imap, imaps, http, process


class Directors:
    """Starts them on entry, and ends them all."""

    def __init__(self, count, **settings):
        self._count, self._settings = count, settings
        self._programs, self._token, self._hash = [], secrets.token_hex(32), None

    async def __aenter__(self):
        self._directory = tempfile.TemporaryDirectory()
        try:
            await self._start(pathlib.Path(self._directory.name))
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(self, *_):
        self._node.close()
        await asyncio.to_thread(self._end)

    def __getitem__(self, number):
        return self._directors[number]

    async def ask(self, number, method, path, body=None):
        """Gives a director an order; the answer's body."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self[number].http)
        data = json.dumps(body).encode() if body is not None else b""
        kind = "Content-Type: application/json\r\n" if data else ""
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\nConnection: close\r\n{kind}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        answer = await reader.read()
        writer.close()
        assert answer.split(b" ")[1][:1] == b"2", answer
        return answer.partition(b"\r\n\r\n")[2].decode()

    async def add_users(self, users, **fields):
        """Accounts with PASSWORD. One hash serves all: what making it costs is not what is measured."""
        if not self._hash:
            await self.ask(0, "POST", "/api/v1/users", {"name": "first@example.com", "password": PASSWORD})
            self._hash = await self._redis("HGET", "imapdirector:{first@example.com}:account", "password")
        more = "".join(f" {name} {value}" for name, value in fields.items())
        await self._redis(lines="".join(f"HSET imapdirector:{{{user}}}:account password {self._hash} created 1{more}\n" for user in users))

    async def count(self, metric, **labels):
        """A metric's sum over all directors, of those rows that have these labels."""
        total = 0.0
        for number in range(self._count):
            for line in (await self.ask(number, "GET", "/metrics")).splitlines():
                if line.partition("{")[0].partition(" ")[0] == metric and all(f'{name}="{value}"' in line for name, value in labels.items()):
                    total += float(line.rpartition(" ")[2])
        return total

    async def _redis(self, *command, lines=None):
        run = await asyncio.to_thread(subprocess.run, ["redis-cli", "-p", str(self._redis_port), *command], input=lines, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    async def _start(self, directory):
        self._redis_port, node_port = free_port(), free_port()
        (directory / "token").write_text(self._token)
        self._programs.append(subprocess.Popen(["redis-server", "--port", str(self._redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", directory], stdout=subprocess.DEVNULL))
        self._node = await asyncio.start_server(say_yes, "127.0.0.1", node_port, backlog=1024)
        self._directors = []
        for number in range(self._count):
            imap, imaps, http = free_port(), free_port(), free_port()
            file = directory / f"director{number}.json"
            file.write_text(json.dumps({
                "Name": f"director{number}", "Imap": f"127.0.0.1:{imap}", "Imaps": f"127.0.0.1:{imaps}", "Http": f"127.0.0.1:{http}", "ApiTokenFile": str(directory / "token"),
                "Redis": f"127.0.0.1:{self._redis_port}", "SelfSignedDirectory": str(directory / f"tls{number}"), "LogLevel": "Error", "DrainTimeout": "1s",
                "Nodes": [{"Name": "node1", "Host": "127.0.0.1", "ImapPort": node_port, "MasterPassword": "sixteen letters!"}],
                **self._settings,
            }))
            process = subprocess.Popen(["dotnet", "exec", PROGRAM, "director", "--config", file], stdout=subprocess.PIPE, text=True)
            self._programs.append(process)
            self._directors.append(Director(imap, imaps, http, process))
        for director in self._directors:
            while (line := await asyncio.to_thread(director.process.stdout.readline)).strip() != "READY":
                assert line, "a director did not start"

    def _end(self):
        # Redis was started first, and goes last.
        for some in (self._programs[1:], self._programs[:1]):
            for program in some:
                program.send_signal(signal.SIGTERM)
            for program in some:
                try:
                    program.wait(20)
                except subprocess.TimeoutExpired:
                    program.kill()
        self._directory.cleanup()


async def say_yes(reader, writer):
    """The node."""
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


async def log_in(port, user, password=PASSWORD, address="127.0.0.1", tls=None):
    """Logs in from an address; reader, writer and the tagged answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0), ssl=tls, server_hostname="localhost" if tls else None)
    assert await reader.readline(), "the director has closed the connection"
    writer.write(f"a LOGIN {user} {password}\r\n".encode())
    while not (line := await reader.readline()).startswith(b"a "):
        assert line, "the director has closed the connection"
    return reader, writer, line


def quick_tls():
    """TLS that trusts whoever is there."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def log_in_often(choose_port, user, address, pause, times, failures, tls=None, patience=120):
    """Logs in again and again until it is cancelled, and notes how long each took, or how it failed."""
    while True:
        begun = time.perf_counter()
        try:
            _, writer, answer = await asyncio.wait_for(log_in(choose_port(), user, address=address, tls=tls), patience)
            writer.close()
            if answer.startswith(b"a OK"):
                times.append(time.perf_counter() - begun)
            else:
                failures.append(answer)
        except (OSError, AssertionError, TimeoutError) as failed:
            failures.append(failed)
        await asyncio.sleep(pause)
