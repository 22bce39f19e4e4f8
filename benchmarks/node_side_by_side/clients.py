"""An IMAP and an LMTP client that read answers in big pieces and understand only how they end."""
import base64
import socket

MASTER_USER, MASTER_PASSWORD = "director", "a password for benchmarks only"


class Refused(Exception):
    """The server answered NO or BAD."""


class Imap:
    def __init__(self, port, user=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=900)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0
        self.read_line()
        if user:
            word = base64.b64encode(f"{user}\0{MASTER_USER}\0{MASTER_PASSWORD}".encode()).decode()
            self.command(f"AUTHENTICATE PLAIN {word}")

    def read_line(self):
        line = b""
        while not line.endswith(b"\r\n"):
            line += self.socket.recv(4096) or self.ended()
        return line

    def send(self, text):
        """Sends a command without waiting; a str, or bytes that may hold a literal."""
        self.number += 1
        tag = b"q%dz" % self.number
        self.socket.sendall(tag + b" " + (text.encode() if isinstance(text, str) else text) + b"\r\n")
        return tag

    def finish(self, tag, keep=True):
        """Reads up to the tagged answer, and gives all of it, or its length and end without `keep`."""
        kept, tail = [], b""
        while True:
            piece = self.socket.recv(1 << 20) or self.ended()
            if keep:
                kept.append(piece)
            tail = (tail + piece)[-8192:] if len(piece) < 8192 else piece[-8192:]
            if tail.endswith(b"\r\n"):
                start = tail.rfind(b"\r\n", 0, -2)
                line = tail[start + 2 if start >= 0 else 0:]
                if line.startswith(tag + b" "):
                    break
        if not line.startswith(tag + b" OK"):
            raise Refused(line[len(tag) + 1:].decode(errors="replace").strip())
        return b"".join(kept)

    def command(self, text, keep=True):
        return self.finish(self.send(text), keep)

    def capabilities(self):
        return self.command("CAPABILITY").split(b"\r\n")[0].decode().split()[2:]

    def idle(self):
        tag = self.send("IDLE")
        if not self.read_line().startswith(b"+"):
            raise Refused("IDLE")
        return tag

    def done(self, tag):
        self.socket.sendall(b"DONE\r\n")
        self.finish(tag)

    def append(self, mailbox, message, date=None, flags=()):
        self.command(append_command(mailbox, message, date, flags))

    def close(self):
        self.socket.close()

    @staticmethod
    def ended():
        raise ConnectionError("the server closed the connection")


def append_command(mailbox, message, date=None, flags=()):
    when = f' "{date}"' if date else ""
    return f"APPEND {mailbox} ({' '.join(flags)}){when} {{{len(message)}+}}\r\n".encode() + message


class Lmtp:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines = self.socket.makefile("rb")
        self.expect(b"220")
        self.socket.sendall(b"LHLO client.example.net\r\n")
        self.expect(b"250")

    def expect(self, code):
        while True:
            line = self.lines.readline()
            if not line.startswith(code):
                raise Refused(line.decode(errors="replace").strip() or "the server closed the connection")
            if line[3:4] == b" ":
                return

    def deliver(self, user, message):
        """The message ends in CRLF and has no line that begins with a dot."""
        self.socket.sendall(f"MAIL FROM:<bob@example.org>\r\nRCPT TO:<{user}>\r\nDATA\r\n".encode())
        for code in (b"250", b"250", b"354"):
            self.expect(code)
        self.socket.sendall(message + b".\r\n")
        self.expect(b"250")

    def close(self):
        self.lines.close()
        self.socket.close()
