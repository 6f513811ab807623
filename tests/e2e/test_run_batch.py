"""`baton run-batch`: a file of requests answered into a file, as vLLM's run-batch."""
import http.server
import json
import subprocess
import threading

import serving

CHAT = "/v1/chat/completions"
USER = [{"role": "user", "content": "Hello world!"}]


def line(custom_id, url, body):
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": url, "body": body})


GOOD = "\n".join([
    line("chat", CHAT, {"model": serving.MODEL, "messages": USER, "max_tokens": 5,
                        "ignore_eos": True}), "",
    line("text", "/v1/completions", {"prompt": "Once", "max_tokens": 3,
                                      "ignore_eos": True})]) + "\n"
BAD = "\n".join([
    line("no-model", CHAT, {"model": "NonExistModel", "messages": USER}),
    line("bad-field", CHAT, {"messages": USER, "max_tokens": -1}),
    line("bad-url", "/bad_url", {}),
    line("stream", CHAT, {"messages": USER, "stream": True}),
    line("other-model", "/v1/embeddings", {"input": "x"})])


def run(*arguments):
    return subprocess.run([serving.BIN / "baton", "run-batch", *map(str, arguments)],
                          capture_output=True, text=True, timeout=90)


def run_files(tmp_path, text, *arguments):
    given, written = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    given.write_text(text)
    result = run("-i", given, "-o", written, *arguments)
    assert result.returncode == 0, result.stderr
    return [json.loads(answer) for answer in written.read_text().splitlines()], result


def check_good(answers):
    assert [answer["custom_id"] for answer in answers] == ["chat", "text"]
    for answer, tokens in zip(answers, (5, 3)):
        assert list(answer) == ["id", "custom_id", "response", "error"] and answer["error"] is None
        assert answer["id"].startswith("vllm-")
        response = answer["response"]
        assert list(response) == ["status_code", "request_id", "body"]
        assert response["status_code"] == 200 and response["request_id"].startswith("vllm-batch-")
        assert response["body"]["usage"]["completion_tokens"] == tokens


def test_runs_a_server_for_the_batch(tmp_path):
    answers, result = run_files(tmp_path, GOOD, "--model", serving.MODEL, "--max-model-len", "256")
    check_good(answers)
    assert "100% Completed | 2/2" in result.stderr


def test_each_line_has_its_error(server, tmp_path):
    answers, _ = run_files(tmp_path, BAD, "--url", server.url + "/v1", "--max-concurrency", 2)
    status = {answer["custom_id"]: answer["response"]["status_code"] for answer in answers}
    assert list(status.items()) == [("no-model", 404), ("bad-field", 400), ("bad-url", 400),
                                    ("stream", 400), ("other-model", 400)]
    error = {answer["custom_id"]: answer["error"] for answer in answers}
    assert error["no-model"]["error"]["type"] == "NotFoundError"
    assert error["bad-field"]["error"]["code"] == 400
    assert error["bad-url"].startswith("URL /bad_url was used. Supported endpoints: ")
    assert error["stream"] == "Request must not be sent in stream mode"
    assert error["other-model"] == "Model does not support endpoint: /v1/embeddings"
    assert all(answer["response"]["body"] is None for answer in answers)


def test_nothing_gives_nothing_and_nonsense_is_refused(server, tmp_path):
    assert run_files(tmp_path, "\n", "--url", server.url + "/v1")[0] == []
    given = tmp_path / "in.jsonl"
    given.write_text(GOOD + '{"custom_id": "x"}\n')
    result = run("-i", given, "-o", tmp_path / "none", "--url", server.url + "/v1")
    assert result.returncode != 0 and "line 4: 'method' is missing" in result.stderr
    assert not (tmp_path / "none").exists()


def test_what_cannot_work_is_said_before_anything_is_computed(server, tmp_path):
    given = tmp_path / "in.jsonl"
    given.write_text(GOOD)
    result = run("-i", given, "-o", tmp_path / "no" / "out.jsonl", "--url", server.url + "/v1")
    assert result.returncode != 0 and "cannot write" in result.stderr
    result = run("-i", tmp_path, "-o", tmp_path / "out.jsonl", "--url", server.url + "/v1")
    assert result.returncode != 0 and "cannot read" in result.stderr
    port = server.url.rsplit(":", 1)[1]
    result = run("-i", given, "-o", tmp_path / "out.jsonl", "--model", serving.MODEL,
                 "--enable-metrics", "--host", "127.0.0.1", "--port", port)
    assert result.returncode != 0 and "another server's" in result.stderr


class Store(http.server.BaseHTTPRequestHandler):
    files = {"/in.jsonl": GOOD.encode()}

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.files[self.path])

    def do_PUT(self):
        self.files[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_files_may_be_elsewhere(server, tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store) as store:
        threading.Thread(target=store.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{store.server_port}"
        result = run("--input_file", url + "/in.jsonl", f"--output-file={url}/out.jsonl",
                     "--output-tmp-dir", tmp_path, "--url", server.url + "/v1/")
        assert result.returncode == 0, result.stderr
        check_good([json.loads(answer) for answer in Store.files["/out.jsonl"].splitlines()])
        assert list(tmp_path.iterdir()) == []
        store.shutdown()
