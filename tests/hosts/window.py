"""A screen that Xvfb keeps in a file, and the VST3's window on it, in pedalboard."""

import base64
import os
import pathlib
import re
import struct
import subprocess
import sys
import time

import numpy as np
from hand import Hand

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


def colours(picture):
    return len(np.unique(picture))


def component(state):
    """The plug-in's own part of a session's state, out of JUCE's wrapping: XML with six bits a letter, the lowest first."""
    size, letters = re.search(rb"<IComponent>(\d+)\.([^<]*)<", state).groups()
    alphabet = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+".encode()
    number = sum(alphabet.index(letter) << 6 * place for place, letter in enumerate(letters))
    return number.to_bytes(len(letters), "little")[: int(size)]


class Host:
    """The VST3's window in a host of its own, whose data and settings are in `folder`, with more `variables` of the environment."""

    def __init__(self, screen, folder, **variables):
        self.screen, self.folder = screen, folder
        program = pathlib.Path(__file__).with_name("show_window.py")
        environment = {**os.environ, "DISPLAY": screen.display}
        environment |= {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
        environment.pop("WAYLAND_DISPLAY", None)
        environment |= variables
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, str(program)], env=environment, **pipes)
        self.hand = Hand(screen.display)

    def wait_until(self, what, met):
        started = time.monotonic()
        while not met():
            assert self.process.poll() is None, f"the host ended with {self.process.returncode} before {what}"
            assert time.monotonic() - started < PATIENCE, f"no sign of {what}"
            time.sleep(0.2)

    def wait_for_sound(self):
        """A spectrogram of noise has many colours; a window without sound has few."""
        self.wait_until("sound on the map", lambda: colours(self.screen.picture()) > 1000)
        before = self.screen.picture()
        self.wait_until("the map moving", lambda: (self.screen.picture() != before).mean() > 0.02)

    def window(self):
        self.wait_until("a window that takes drops", lambda: self.hand.target() is not None)
        return self.hand.target()

    def open_again(self):
        """Closes the window and opens another of the same instance."""
        self.process.stdin.write("again\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "closed\n"

    def sockets(self):
        """How many the host's process has open."""
        files = pathlib.Path(f"/proc/{self.process.pid}/fd")
        return sum(os.path.realpath(file).rpartition("/")[2].startswith("socket:") for file in files.iterdir())

    def end(self):
        """The session's state."""
        output, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0
        closed, state = output.split()
        assert closed == "closed"
        return base64.b64decode(state)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
