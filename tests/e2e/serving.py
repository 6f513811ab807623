"""Starts `baton serve` the way a user does, asks it, and reads what it says about itself."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("BATON_BIN", ROOT / "build/release/bin"))
MODELS = pathlib.Path(os.environ.get("BATON_MODELS", pathlib.Path.home() / ".cache/baton/models"))
MODEL = "smollm2-135m"
CODER = "qwen2.5-coder-0.5b"
DEADLINE = 60.0


def model_present(model=MODEL):
    return any((MODELS / model).glob("*.gguf"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition, what, deadline=DEADLINE):
    """Polls until `condition()` is true; fails with `what` and its last value."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: still {value!r} after {deadline} s"
        time.sleep(0.05)


def healthy(url):
    try:
        return urllib.request.urlopen(url + "/health", timeout=5).status == 200
    except OSError:
        return False


def post(server, path, body):
    """Status and JSON of a POST, whatever the status."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        server.url + path, data=data, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class Server:
    """One `baton serve`, with its children, on a port of its own."""

    def __init__(self, *flags, model=MODEL):
        self.port = free_port()
        self.log = tempfile.NamedTemporaryFile("w+", prefix="baton-e2e-", suffix=".log")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [BIN / "baton", "serve", model, "--host", "127.0.0.1", "--port", str(self.port), *flags],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def output(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, f"baton serve ended:\n{self.output()}"
            return healthy(self.url)
        eventually(ready, f"not ready:\n{self.output()}")
        return self

    def children(self, name):
        """Process ids of the children whose program is called `name`."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text()
                program = os.path.basename(os.readlink(folder / "exe"))
            except OSError:
                continue
            parent = int(stat.rsplit(")", 1)[1].split()[1])
            if parent == self.process.pid and program == name:
                found.append(int(folder.name))
        return sorted(found)

    def metrics(self):
        """{family: [(labels, value)]} of the public port's /metrics."""
        text = urllib.request.urlopen(self.url + "/metrics", timeout=10).read().decode()
        families = {}
        for line in text.splitlines():
            match = re.match(r"([a-zA-Z_:][\w:]*)(\{[^}]*\})? (\S+)", line)
            if match:
                labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
                families.setdefault(match[1], []).append((labels, float(match[3])))
        return families

    def metric(self, name):
        """The sum of a family over its labels; None when it is not there."""
        samples = self.metrics().get(name)
        return None if samples is None else sum(value for _, value in samples)

    def stop(self, how=signal.SIGTERM, deadline=30):
        """Ends the server and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"baton serve did not end:\n{self.output()}")
