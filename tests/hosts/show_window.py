"""Opens the VST3's window while sound goes through it: once more for each line of standard input, until that ends. Prints a
line when one is closed, and at the end the session's state in base 64. For test_window.py."""

import base64
import ctypes
import pathlib
import queue
import sys
import threading

import numpy as np
import pedalboard

BUNDLE = pathlib.Path(__file__).parents[2] / "target" / "bundled" / "vrvq.vst3"

# JUCE asks about windows that are gone already; the X library's own answer to that is to end the process.
handler_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
ignore = handler_type(lambda display, event: 0)
ctypes.CDLL("libX11.so.6").XSetErrorHandler(ignore)

plugin = pedalboard.load_plugin(str(BUNDLE))
windows = queue.Queue()
ending = threading.Event()


def wait_for_lines():
    # Each line closes the window after the one that the line before closed, however late that opens.
    for _ in sys.stdin:
        windows.get().set()
    closing = windows.get()
    ending.set()
    closing.set()


def process():
    noise = np.random.default_rng(1)
    while not ending.wait(0.1):
        sound = 0.2 * noise.standard_normal((2, 8192)).astype(np.float32)
        plugin.process(sound, 44100, buffer_size=512, reset=False)


threads = [threading.Thread(target=target) for target in (wait_for_lines, process)]
for thread in threads:
    thread.start()
while not ending.is_set():
    closing = threading.Event()
    windows.put(closing)
    plugin.show_editor(closing)
    print("closed", flush=True)
for thread in threads:
    thread.join()
print(base64.b64encode(plugin.raw_state).decode())
