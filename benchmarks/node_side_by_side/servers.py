"""Starts and stops the two servers on free loopback ports, each with its data in a directory of its own."""
import contextlib
import getpass
import grp
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import clients

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that listens for IMAP and LMTP. Its data stay from one start to the next."""

    def __init__(self, directory):
        self.directory = directory
        self.imap, self.lmtp = free_port(), free_port()
        self.process = None

    def start(self):
        with open(self.directory / "output", "ab") as output:
            self.process = subprocess.Popen(self.arguments(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 60
        for port in (self.imap, self.lmtp):
            while True:
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
                        if probe.recv(1):
                            break
                except OSError:
                    pass
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name} did not start:\n" + (self.directory / "output").read_text(errors="replace")[-2000:])
                time.sleep(0.1)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    @contextlib.contextmanager
    def in_memory(self):
        """Lends the server a memory disk for its data, where filling a mailbox with one commit per message does not take a quarter of an hour."""
        data, memory = self.directory / "data", pathlib.Path("/dev/shm")
        if not data.is_dir() or not memory.is_dir() or shutil.disk_usage(memory).free < 6 * 2 ** 30:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="node-side-by-side-", dir=memory) as lent:
            self.stop()
            shutil.move(data, pathlib.Path(lent) / "data")
            data.symlink_to(pathlib.Path(lent) / "data")
            self.start()
            try:
                yield
            finally:
                self.stop()
                data.unlink()
                shutil.move(pathlib.Path(lent) / "data", data)
                os.sync()
        self.start()

    @property
    def pid(self):
        return self.process.pid

    def login(self, user):
        return clients.Imap(self.imap, user)


class Node(Server):
    name = "ImapDirector node"

    def __init__(self, directory, program):
        super().__init__(directory)
        self.program = program
        (directory / "node.json").write_text(json.dumps({
            "Name": "bench", "DataDirectory": str(directory / "data"), "Imap": f"127.0.0.1:{self.imap}", "Lmtp": f"127.0.0.1:{self.lmtp}",
            "Http": f"127.0.0.1:{free_port()}", "MasterUser": clients.MASTER_USER, "MasterPassword": clients.MASTER_PASSWORD}), encoding="utf-8")

    def arguments(self):
        return [str(self.program), "node", "--config", str(self.directory / "node.json")]

    @staticmethod
    def build(target):
        """A Release build of this repository; gives the program."""
        subprocess.run(["nice", "dotnet", "build", str(REPOSITORY / "src/ImapDirector"), "-c", "Release", "-o", str(target), "-v", "quiet", "--nologo"],
                       check=True, stdout=subprocess.DEVNULL)
        return target / "imapdirector"


class Dovecot(Server):
    """Dovecot 2.3 as it is set up for speed, but with its mail on disk before it says so, as the node's is."""
    name = "Dovecot"

    def __init__(self, directory, kind, hibernate=False):
        super().__init__(directory)
        root = os.geteuid() == 0
        user, group = ("nobody", "nogroup") if root else (getpass.getuser(), grp.getgrgid(os.getgid()).gr_name)
        mail = directory / "mail"
        mail.mkdir(exist_ok=True)
        if root:
            # Its processes give up root: what is above must let them pass, and the mail is theirs.
            directory.chmod(0o755)
            mail.chmod(0o777)
        (directory / "masters").write_text(f"{clients.MASTER_USER}:{{PLAIN}}{clients.MASTER_PASSWORD}\n", encoding="utf-8")
        (directory / "dovecot.conf").write_text(CONFIGURATION.format(
            directory=directory, mail=mail, kind=kind, user=user, group=group, imap=self.imap, lmtp=self.lmtp,
            # A mail process that waits for its next user is in memory too: where that is what is measured, it ends.
            reuse=1 if hibernate else 256, hibernate="imap_hibernate_timeout = 3s" if hibernate else ""), encoding="utf-8")

    def arguments(self):
        return ["dovecot", "-F", "-c", str(self.directory / "dovecot.conf")]

    @staticmethod
    def version():
        return subprocess.run(["dovecot", "--version"], check=True, capture_output=True, text=True).stdout.split()[0]


CONFIGURATION = """
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = {kind}:{mail}/%u
mail_fsync = always
mail_max_userip_connections = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_process_limit = 12000
default_client_limit = 15000
default_vsz_limit = 0
{hibernate}
# Login processes that serve many connections and mail processes that serve several users after one another: the fast way to run it.
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 2
  process_limit = 2
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service imap {{
  service_count = {reuse}
  process_limit = 12000
  unix_listener imap-master {{
    user = {user}
  }}
}}
service imap-hibernate {{
  unix_listener imap-hibernate {{
    mode = 0666
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = {directory}/masters
  master = yes
}}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={mail}/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""
