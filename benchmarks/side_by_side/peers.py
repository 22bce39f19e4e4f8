"""Starts the stub and the proxies in front of it, each on free loopback ports and in a directory of its own."""
import getpass
import grp
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = {"nginx": ("nginx", "libnginx-mod-mail"), "haproxy": ("haproxy",), "dovecot": ("dovecot-imapd",), "redis-server": ("redis-server",), "cc": ("gcc", "libc6-dev", "libssl-dev")}
USERS = 20
WORKERS = os.cpu_count()


GIVEN = set()


def free_port():
    """A port that nobody has, or was given here before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


def find_programs(may_install):
    """Debian's packages of what is missing are installed, where that is allowed."""
    os.environ["PATH"] += ":/usr/sbin"
    missing = sorted({package for program, packages in PACKAGES.items() if not shutil.which(program) for package in packages})
    if not pathlib.Path("/usr/lib/nginx/modules/ngx_mail_module.so").exists() and "nginx" not in missing:
        missing.append("libnginx-mod-mail")
    if not pathlib.Path("/usr/include/openssl/ssl.h").exists() and "libssl-dev" not in missing:
        missing.append("libssl-dev")
    if missing and not may_install:
        raise SystemExit(f"Missing: run it as root, or: apt-get install {' '.join(missing)}")
    if missing:
        subprocess.run(["apt-get", "install", "-y", "-qq", *missing], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def build_tools(home):
    here = pathlib.Path(__file__).parent
    (home / "tools").mkdir()
    subprocess.run(["cc", "-O2", "-o", home / "tools/stub", here / "stub.c"], check=True)
    subprocess.run(["cc", "-O2", "-o", home / "tools/load", here / "load.c", "-lssl", "-lcrypto"], check=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", home / "key.pem", "-out", home / "cert.pem",
                    "-days", "30", "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
    (home / "both.pem").write_text((home / "cert.pem").read_text(encoding="ascii") + (home / "key.pem").read_text(encoding="ascii"), encoding="ascii")


class Process:
    """A server that stays in the foreground, in front of a stub."""

    def __init__(self, home, backend):
        self.home, self.backend = home, backend
        self.directory = home / re.sub(r"\W", "-", self.name)
        self.directory.mkdir(exist_ok=True)
        self.plain, self.tls = free_port(), free_port()
        self.process = None
        # By time.monotonic(); for measuring.
        self.remembers_until = 0.0

    def start(self):
        self.configure()
        with open(self.directory / "output", "ab") as output:
            self.process = subprocess.Popen(self.arguments(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True, env=self.environment())
        deadline = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.plain), timeout=5) as probe:
                    if probe.recv(1):
                        return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n" + (self.directory / "output").read_text(errors="replace")[-2000:])
            time.sleep(0.1)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    def configure(self):
        pass

    def environment(self):
        return None

    @property
    def pid(self):
        return self.process.pid


class Stub(Process):
    name = "stub"

    def __init__(self, home):
        super().__init__(home, None)

    def arguments(self):
        return [self.home / "tools/stub", str(self.plain)]


class Nginx(Process):
    """Its mail module, with the HTTP server that it asks for the user's node in the same process, and buffers nearly as large as our own."""
    name = "nginx"

    def configure(self):
        # A worker has two descriptors for each session, and a place for each of its connections.
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        authority = free_port()
        (self.directory / "nginx.conf").write_text(f"""
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
user {getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name};
daemon off;
worker_processes {WORKERS};
worker_rlimit_nofile {files};
pid {self.directory}/pid;
error_log {self.directory}/error error;
events {{ worker_connections {files - 1000}; }}
http {{
  access_log off;
  {"".join(f"{kind}_temp_path {self.directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))}
  server {{
    listen 127.0.0.1:{authority} backlog=4096;
    keepalive_requests 1000000;
    location / {{ add_header Auth-Status OK; add_header Auth-Server 127.0.0.1; add_header Auth-Port {self.backend}; return 204; }}
  }}
}}
mail {{
  imap_auth plain login;
  imap_capabilities IMAP4rev1 LITERAL+ SASL-IR IDLE;
  timeout 1h;
  proxy_buffer 64k;
  ssl_certificate {self.home}/cert.pem;
  ssl_certificate_key {self.home}/key.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  auth_http 127.0.0.1:{authority}/;
  server {{ listen 127.0.0.1:{self.plain} backlog=4096; protocol imap; }}
  server {{ listen 127.0.0.1:{self.tls} ssl backlog=4096; protocol imap; }}
}}
""", encoding="ascii")

    def arguments(self):
        return ["nginx", "-c", self.directory / "nginx.conf", "-e", self.directory / "error"]

    @staticmethod
    def version():
        return re.search(r"nginx/(\S+)", output_of("nginx", "-v")).group(1)


class HAProxy(Process):
    """As a TCP proxy: it neither logs anybody in nor knows who has which node, so it is a lower bound."""
    name = "HAProxy"

    def configure(self):
        # Each session has two descriptors, and each pipe as well.
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        (self.directory / "haproxy.cfg").write_text(f"""
global
  maxconn {(files - 1200) // 2}
  maxpipes 250
  nbthread {WORKERS}
defaults
  mode tcp
  option splice-auto
  backlog 4096
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend plain
  bind 127.0.0.1:{self.plain}
  default_backend stub
frontend tls
  bind 127.0.0.1:{self.tls} ssl crt {self.home}/both.pem
  default_backend stub
backend stub
  server stub 127.0.0.1:{self.backend}
""", encoding="ascii")

    def arguments(self):
        return ["haproxy", "-db", "-f", self.directory / "haproxy.cfg"]

    @staticmethod
    def version():
        return re.search(r"version (\d[\d.]*)", output_of("haproxy", "-v")).group(1)


class Dovecot(Process):
    """Its login processes as a proxy, set up for speed: one for each core, serving many connections."""
    name = "Dovecot"

    def configure(self):
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        user, group = ("nobody", "nogroup") if os.geteuid() == 0 else (getpass.getuser(), grp.getgrgid(os.getgid()).gr_name)
        self.directory.chmod(0o755)
        (self.directory / "dovecot.conf").write_text(f"""
base_dir = {self.directory}/run
state_dir = {self.directory}/run
log_path = /dev/null
protocols = imap
listen = 127.0.0.1
ssl_cert = <{self.home}/cert.pem
ssl_key = <{self.home}/key.pem
disable_plaintext_auth = no
mail_max_userip_connections = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_client_limit = {files}
default_vsz_limit = 0
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = {WORKERS}
  process_limit = {WORKERS}
  client_limit = {(files - 1000) // 2}
  inet_listener imap {{
    port = {self.plain}
  }}
  inet_listener imaps {{
    port = {self.tls}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = proxy=y host=127.0.0.1 port={self.backend} nopassword=y
}}
""", encoding="ascii")

    def arguments(self):
        return ["dovecot", "-F", "-c", self.directory / "dovecot.conf"]

    @staticmethod
    def version():
        return output_of("dovecot", "--version").split()[0]


class ImapDirector(Process):
    """With a Redis of its own, whose processor time is not counted: the others ask nobody who could be elsewhere."""
    name = "ImapDirector"

    def __init__(self, home, backend, program, settings):
        super().__init__(home, backend)
        self.program, self.settings = program, settings
        self.redis_port = free_port()
        with open(self.directory / "redis-output", "ab") as output:
            self.redis = subprocess.Popen(["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", self.directory],
                                          stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)
        (self.directory / "director.json").write_text(json.dumps({
            "Name": "bench", "Imap": f"127.0.0.1:{self.plain}", "Imaps": f"127.0.0.1:{self.tls}", "CertificateFile": str(home / "cert.pem"), "KeyFile": str(home / "key.pem"),
            "Redis": f"127.0.0.1:{self.redis_port}", "MaxConnectionsPerAddress": 100_000, "MaxSessionsPerUserAddress": 100_000, "MaxSessionsPerUser": 100_000, "RelayIdleTimeout": "1h", "LogLevel": "Warning",
            "Nodes": [{"Name": "stub", "Host": "127.0.0.1", "ImapPort": backend, "MasterPassword": "secret"}]}), encoding="ascii")
        self.wait_for_redis()
        self.make_accounts()

    def wait_for_redis(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.redis_port), timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("Redis did not start.")

    def make_accounts(self):
        """One hash for all: each takes its time, and no director runs yet that could be asked."""
        redis = ["redis-cli", "-p", str(self.redis_port)]
        hashed = subprocess.run([self.program, "user", "hash"], input="secret\n", check=True, capture_output=True, text=True).stdout.strip().removeprefix("{ARGON2ID}")
        lines = "".join(f"HSET imapdirector:{{user{i}@example.com}}:account password {hashed} created 1\n" for i in range(USERS))
        subprocess.run(redis, input=lines, text=True, check=True, stdout=subprocess.DEVNULL)

    def arguments(self):
        return [self.program, "director", "--config", self.directory / "director.json"]

    def environment(self):
        return {**os.environ, **dict(setting.split("=", 1) for setting in self.settings)}

    def stop_redis(self):
        self.redis.terminate()
        self.redis.wait()

    @staticmethod
    def build(target):
        """This repository as it is published; gives the program."""
        subprocess.run(["nice", "dotnet", "publish", str(REPOSITORY / "src/ImapDirector"), "-c", "Release", "-o", str(target), "-v", "quiet", "--nologo"],
                       check=True, stdout=subprocess.DEVNULL)
        return target / "imapdirector"
