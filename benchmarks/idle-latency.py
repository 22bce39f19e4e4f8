#!/usr/bin/env python3
"""How long a session that idles through the director takes to hear of a delivery made through LMTP.

Run a server first:  dotnet run -c Release --project src/ImapDirector -- standalone --user alice@example.com --password secret
Then:                benchmarks/idle-latency.py [deliveries]
"after 250" counts from the delivery's answer to the EXISTS line (negative: the line came first), "in all" from the first byte of DATA's content.
"""
import smtplib
import socket
import ssl
import statistics
import sys
import threading
import time

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 200
USER, PASSWORD = "alice@example.com", "secret"
MESSAGE = "From: bob@example.org\r\nTo: alice@example.com\r\nSubject: latency\r\n\r\nHello.\r\n"


def connect_idle():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = context.wrap_socket(socket.create_connection(("127.0.0.1", 1993)))
    lines = stream.makefile("rb")
    lines.readline()
    for tag, command in (("a", f"LOGIN {USER} {PASSWORD}"), ("b", "SELECT INBOX")):
        stream.sendall(f"{tag} {command}\r\n".encode())
        while not (line := lines.readline()).startswith(tag.encode() + b" "):
            pass
        assert line.split()[1] == b"OK", line
    stream.sendall(b"c IDLE\r\n")
    assert lines.readline().startswith(b"+")
    return stream, lines


def main():
    stream, lines = connect_idle()
    heard = []
    arrived = threading.Condition()

    def listen():
        for line in lines:
            if line.endswith(b"EXISTS\r\n"):
                with arrived:
                    heard.append(time.perf_counter())
                    arrived.notify()

    threading.Thread(target=listen, daemon=True).start()
    sender = smtplib.LMTP("127.0.0.1", 1124)
    after_reply, in_all = [], []
    for number in range(COUNT):
        begun = time.perf_counter()
        sender.sendmail("bob@example.org", [USER], MESSAGE)
        replied = time.perf_counter()
        with arrived:
            assert arrived.wait_for(lambda: len(heard) > number, timeout=10), "no EXISTS within 10 s"
        after_reply.append((heard[number] - replied) * 1000)
        in_all.append((heard[number] - begun) * 1000)
        time.sleep(0.01)
    for name, values in (("after 250", after_reply), ("in all", in_all)):
        values.sort()
        print(f"{name:10}  median {statistics.median(values):7.2f} ms   99 % {values[int(len(values) * .99)]:7.2f} ms   most {values[-1]:7.2f} ms   of {COUNT}")


main()
