"""The VST3's window in pedalboard, on a screen that Xvfb keeps in a file."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

PATIENCE = 60.0


class Screen:
    """A screen of 1280 x 800."""

    def __init__(self, folder):
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-fbdir", str(folder)]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.display = ":" + self.server.stdout.readline().strip()
        self.file = folder / "Xvfb_screen0"

    def picture(self):
        """What is on it, a number a pixel: [height, width]."""
        content = self.file.read_bytes()
        # An X window dump: numbers in network order, then colours, then rows of four bytes a pixel.
        header = struct.unpack(">25I", content[:100])
        start, width, height, row, colours = header[0], header[4], header[5], header[12], header[19]
        pixels = np.frombuffer(content, np.uint8, row * height, start + 12 * colours)
        return pixels.reshape(height, row)[:, : 4 * width].copy().view(np.uint32) & 0xFFFFFF

    def close(self):
        self.server.terminate()
        self.server.wait()


@pytest.fixture
def screen(tmp_path):
    screen = Screen(tmp_path)
    yield screen
    screen.close()


def colours(picture):
    return len(np.unique(picture))


def wait_until(what, met, host):
    started = time.monotonic()
    while not met():
        assert host.poll() is None, f"the host ended with {host.returncode} before {what}"
        assert time.monotonic() - started < PATIENCE, f"no sign of {what}"
        time.sleep(0.2)


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_the_window_opens_moves_with_the_sound_and_closes(screen):
    program = pathlib.Path(__file__).with_name("show_window.py")
    environment = {**os.environ, "DISPLAY": screen.display}
    environment.pop("WAYLAND_DISPLAY", None)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    host = subprocess.Popen([sys.executable, str(program)], env=environment, **pipes)
    try:
        empty = colours(screen.picture())
        wait_until("a window", lambda: colours(screen.picture()) > empty + 50, host)
        # A spectrogram of noise has many colours; a window without sound has few.
        wait_until("sound on the map", lambda: colours(screen.picture()) > empty + 1000, host)
        before = screen.picture()
        wait_until("the map moving", lambda: (screen.picture() != before).mean() > 0.02, host)
        output, _ = host.communicate(timeout=PATIENCE)
        assert output.strip() == "closed"
        assert host.returncode == 0
        assert colours(screen.picture()) <= empty + 10, "something stays on the screen"
    finally:
        if host.poll() is None:
            host.kill()
            host.wait()
