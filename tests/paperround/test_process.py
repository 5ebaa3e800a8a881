"""Paperround as a process: started, asked, told to stop."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from time import monotonic, sleep

import pytest

COMMAND = [sys.executable, "-m", "paperround"]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def answer(url: str) -> str:
    end = monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as page:  # noqa: S310 our own loopback address
                return page.read().decode()
        except OSError:
            if monotonic() > end:
                raise
            sleep(0.05)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("verb", ["run", "web"])
def test_it_serves_until_it_is_told_to_stop_and_then_ends_well(tmp_path: Path, port: int, verb: str, sign: int):
    environment = {**os.environ, "PAPERROUND_WEB__PORT": str(port)}
    with subprocess.Popen(
        [*COMMAND, verb], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert answer(f"http://127.0.0.1:{port}/healthz") == "ok"
        assert answer(f"http://127.0.0.1:{port}/readyz") == "ready"
        process.send_signal(sign)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in said


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {**os.environ, "PAPERROUND_WEB__PORT": str(taken.getsockname()[1])}
        ran = subprocess.run(
            [*COMMAND, "web"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert ran.returncode == 2
    assert "in use" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_output_that_nobody_reads_to_the_end_is_no_error(tmp_path: Path):
    with subprocess.Popen(
        [*COMMAND, "--help"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert "Traceback" not in said


def test_a_terminal_that_knows_ascii_only_gets_every_answer(tmp_path: Path):
    (tmp_path / "one.jsonl").write_text('{"title": "Über Tide – ≤ 10⁻³ 潮汐", "abstract": "…"}\n', encoding="utf-8")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for arguments in (["import", "one.jsonl"], ["papers", "search", "tide"], ["papers", "export", "--format", "jsonl"]):
        ran = subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
