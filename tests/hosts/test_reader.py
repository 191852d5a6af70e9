"""The plug-in's window and the app's as a screen reader has them: pyatspi, on a bus and a screen of their own."""

import json
import math
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from window import PATIENCE, Host, Screen, component

ROOT = pathlib.Path(__file__).parents[2]


class Reader:
    """Reads and turns what windows on a bus of its own tell screen readers."""

    def __init__(self):
        bus = ["dbus-daemon", "--session", "--nofork", "--print-address"]
        self.bus = subprocess.Popen(bus, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.variables = {"DBUS_SESSION_BUS_ADDRESS": self.bus.stdout.readline().strip()}
        command = ["/usr/bin/python3", str(pathlib.Path(__file__).with_name("read_window.py"))]
        environment = {**os.environ, **self.variables}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, env=environment, **pipes)

    def ask(self, what, name, number=None):
        self.process.stdin.write(json.dumps([what, name, number]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def wait_for(self, name, met=lambda widget: True):
        """The widget of that name, once it is as wanted."""
        started = time.monotonic()
        widget = None
        while widget is None or not met(widget):
            assert time.monotonic() - started < PATIENCE, f"{name} is {widget}"
            time.sleep(0.2)
            widget = self.ask("read", name)
        return widget

    def close(self):
        self.process.kill()
        self.process.wait()
        self.bus.terminate()
        self.bus.wait()


def has_pyatspi():
    return subprocess.run(["/usr/bin/python3", "-c", "import pyatspi"], capture_output=True).returncode == 0


@pytest.fixture
def reader():
    if shutil.which("dbus-daemon") is None or not has_pyatspi():
        pytest.skip("needs D-Bus and pyatspi")
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture
def screen(tmp_path):
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    screen = Screen(tmp_path)
    yield screen
    screen.close()


def turn(reader):
    """Turns the knob and listens to the input, as users do who don't see the window."""
    assert reader.wait_for("VRVQ live")["role"] == "frame"
    level = reader.wait_for("Level")
    assert level["role"] == "slider" and level["value"] == [1, 16, 48]
    assert reader.wait_for("B Decoded", lambda switch: "pressed" in switch["states"])["role"] == "toggle button"
    reader.ask("set", "Level", 30.0)
    reader.wait_for("Level", lambda level: abs(level["value"][1] - 30) < 0.01)
    reader.ask("press", "A Dry")
    reader.wait_for("A Dry", lambda switch: "pressed" in switch["states"])
    reader.wait_for("B Decoded", lambda switch: "pressed" not in switch["states"])
    reader.wait_for("Listening to dry, setting 1")


def test_the_plug_in_is_read_and_turned(reader, screen, tmp_path):
    host = Host(screen, tmp_path, **reader.variables)
    try:
        turn(reader)
        host.open_again()
        # The window before is gone for the reader, too.
        reader.wait_for("Level", lambda level: abs(level["value"][1] - 30) < 0.01)
        reader.ask("press", "CBR")
        assert reader.wait_for("Codebooks")["value"][::2] == [1, 8]
        params = json.loads(component(host.end()))["params"]
    finally:
        host.kill()
    # The host's session has it all; it keeps the level's logarithm.
    assert abs(math.exp(params["level"]["f32"]) - 30) < 0.01
    assert (params["monitor"], params["mode"]) == ({"string": "dry"}, {"string": "cbr"})


def test_the_app_is_read_and_turned(reader, screen, tmp_path):
    variables = {"DISPLAY": screen.display, "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    environment = {**os.environ, **variables, **reader.variables}
    environment.pop("WAYLAND_DISPLAY", None)
    command = [ROOT / "target" / "debug" / "vrvq", ROOT / "assets" / "demo.flac"]
    app = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        turn(reader)
        reader.ask("press", "Sound settings")
        assert reader.wait_for("Output device")["role"] == "combo box"
        reader.ask("press", "ABX")
        reader.wait_for("Which one is X?")
        reader.ask("press", "X")
        reader.wait_for("Listening to X")
    finally:
        app.kill()
        app.wait()
