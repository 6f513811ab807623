"""`baton serve --uds PATH`: the API at a socket in the file system."""
import http.client
import json
import signal
import socket
import subprocess

import serving
from serving import Server, eventually


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self.path))


def ask(path, method, target, body=None):
    connection = Connection(path)
    connection.request(method, target, None if body is None else json.dumps(body),
                       {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_serves_and_cleans_up(tmp_path):
    path = tmp_path / "api.sock"
    running = Server("--uds", str(path))
    eventually(lambda: "Ready after" in running.output(), "not ready")
    assert f"unix:{path}" in running.output()
    assert ask(path, "GET", "/health")[0] == 200
    status, answer = ask(path, "POST", "/v1/completions", {"prompt": "Once", "max_tokens": 4})
    assert status == 200 and json.loads(answer)["usage"]["completion_tokens"] == 4
    status, events = ask(path, "POST", "/v1/completions",
                         {"prompt": "Once", "max_tokens": 4, "stream": True})
    assert status == 200 and events.endswith("data: [DONE]\n\n")

    second = Server("--uds", str(path))
    assert second.process.wait(30) != 0 and "in use" in second.output()
    assert ask(path, "GET", "/health")[0] == 200
    assert running.stop() == 0
    assert not path.exists()


def listen_at(path):
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen()
    return listening


def test_leaves_its_successor_alone(tmp_path):
    path = tmp_path / "api.sock"
    running = Server("--uds", str(path))
    eventually(lambda: "Ready after" in running.output(), "not ready")
    connection = Connection(path)
    connection.request("POST", "/v1/completions", json.dumps(
        {"prompt": "Once", "max_tokens": 4000, "ignore_eos": True, "stream": True}),
        {"content-type": "application/json"})
    connection.getresponse().read(1)
    running.process.send_signal(signal.SIGTERM)
    eventually(lambda: not path.exists(), "the path is not free while the server drains")
    with listen_at(path):
        running.process.send_signal(signal.SIGTERM)
        running.stop()
        assert path.exists(), "the second signal took what is no longer its own"


def test_the_frontend_alone_cleans_up(tmp_path):
    path = tmp_path / "api.sock"
    frontend = subprocess.Popen([serving.BIN / "baton-frontend", "--uds", str(path),
                                 "--routers", f"127.0.0.1:{serving.free_port()}"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(path.exists, "it never listened")
        eventually(lambda: ask(path, "GET", "/version")[0] == 200, "it never answered")
        frontend.terminate()
        assert frontend.wait(30) == 0
        assert not path.exists()
    finally:
        frontend.kill()
