"""`baton chat` and `baton complete`, in a pipe and in a terminal."""
import os
import pty
import select
import signal
import subprocess
import time

import serving


def run(server, *arguments, text=""):
    return subprocess.run(
        [serving.BIN / "baton", *arguments, "--url", server.url + "/v1"],
        input=text, capture_output=True, text=True, timeout=60)


def test_quick_chat(server):
    answer = run(server, "chat", "--temperature", "0", "--quick", "What is the capital of Japan?")
    assert answer.returncode == 0, answer.stderr
    assert "Tokyo" in answer.stdout


def test_chat_keeps_the_conversation(server):
    def prompt_tokens_of(text):
        before = server.metric("vllm:prompt_tokens_total")
        answer = run(server, "chat", "--temperature", "0", "--max-tokens", "16", text=text)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout, server.metric("vllm:prompt_tokens_total") - before

    _, one_turn = prompt_tokens_of("Hello there, my friend.\n")
    stdout, two_turns = prompt_tokens_of("Hello there, my friend.\nAnd again.\n")
    assert stdout.startswith(f"Using model: {serving.MODEL}\n")
    assert "Please enter a message for the chat model:" in stdout
    assert stdout.count("> ") == 3
    # The second turn sends the first, its reply and itself.
    assert two_turns > 2 * one_turn + 8


def test_complete(server):
    answer = run(server, "complete", "--max-tokens", "8", "--quick", "The sky is")
    assert answer.returncode == 0 and answer.stdout.strip()
    several = run(server, "complete", "--max-tokens", "4", text="One, two,\nA, B,\n")
    assert "Please enter prompt to complete:" in several.stdout
    assert several.stdout.count("> ") == 3


def test_stats(server):
    answer = run(server, "chat", "--stats", "--max-tokens", "8", "--quick", "Hello")
    assert answer.returncode == 0
    assert "token" in answer.stdout.lower() + answer.stderr.lower()


def test_nothing_is_served(server):
    answer = subprocess.run(
        [serving.BIN / "baton", "chat", "--url", f"http://127.0.0.1:{serving.free_port()}/v1", "-q", "hi"],
        capture_output=True, text=True, timeout=30)
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) == 1
    unknown = run(server, "chat", "--model-name", "gpt-nope", "-q", "hi")
    assert unknown.returncode == 1
    assert "gpt-nope" in unknown.stderr and len(unknown.stderr.strip().splitlines()) == 1


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(command[0], command)
        self.seen = ""

    def read_until(self, text, deadline=30):
        end = time.monotonic() + deadline
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                self.seen += os.read(self.fd, 4096).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def write(self, text):
        os.write(self.fd, text.encode())

    def leave(self):
        """Ctrl-D until the program ends: one that comes before the prompt's line is read is lost."""
        status = []

        def over():
            self.write("\x04")
            pid, code = os.waitpid(self.pid, os.WNOHANG)
            status.append(code)
            return pid == self.pid

        serving.eventually(over, "the program has ended")
        return os.waitstatus_to_exitcode(status[-1])


def chat_in_a_reply(server, max_tokens):
    """`baton chat` in the middle of a reply of `max_tokens`."""
    chat = Terminal(str(serving.BIN / "baton"), "chat", "--url", server.url + "/v1",
                    "--max-tokens", str(max_tokens), "--temperature", "0")
    chat.read_until("> ")
    chat.write("Write a very long story about a dragon and a knight.\n")
    serving.eventually(lambda: server.metric("vllm:num_requests_running"), "the reply has begun")
    return chat


def test_ctrl_c_stops_the_reply_and_not_the_program(server):
    chat = chat_in_a_reply(server, 2000)
    chat.write("\x03")
    chat.read_until("> ")
    serving.eventually(lambda: server.metric("vllm:num_requests_running") == 0, "the reply has ended")
    chat.write("What is the capital of Japan?\n")
    chat.read_until("Tokyo")
    chat.read_until("> ")
    assert chat.leave() == 0


def test_ctrl_d_during_a_reply_does_not_spoil_the_next_line(server):
    """The kernel makes a NUL of it, which libedit took for "insert the next key as it is"."""
    chat = chat_in_a_reply(server, 200)
    chat.write("\x04")
    serving.eventually(lambda: server.metric("vllm:num_requests_running") == 0, "the reply has ended")
    chat.read_until("> ")
    assert chat.leave() == 0


def test_serve_drains_on_ctrl_c(start):
    server = start().wait_ready()
    assert server.stop(signal.SIGINT) == 0
    assert server.children("baton-worker") == []


def test_a_bad_model_ends_serve_with_one_clear_reason(start, tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\xff" * 64)
    for model in (str(tmp_path / "bad.gguf"), str(tmp_path / "absent"), "no-such-model"):
        server = start(model=model)
        assert server.process.wait(30) == 1
        assert os.path.basename(model) in server.output()
