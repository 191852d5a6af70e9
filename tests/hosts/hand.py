"""A user's hand on an X server: it presses keys, clicks and drops files, as python-xlib lets any program do."""

import pathlib
import time

from Xlib import X, XK, display
from Xlib.ext import xtest
from Xlib.protocol import event

# Of XDND, https://www.freedesktop.org/wiki/Specifications/XDND
VERSION = 5
PATIENCE = 30.0


class Hand:
    """Works on the server named `name`."""

    def __init__(self, name):
        self.display = display.Display(name)
        self.root = self.display.screen().root

    def atom(self, name):
        return self.display.intern_atom(name)

    def target(self):
        """The innermost window that takes drops, or none."""
        aware = self.atom("XdndAware")
        found, left = None, [self.root]
        while left:
            window = left.pop(0)
            if window.get_full_property(aware, X.AnyPropertyType) is not None:
                found = window
            left.extend(window.query_tree().children)
        return found

    def middle(self, window):
        """Its middle on the screen."""
        size = window.get_geometry()
        place = self.root.translate_coords(window, 0, 0)
        return place.x + size.width // 2, place.y + size.height // 2

    def move(self, x, y):
        """The pointer to a place on the screen."""
        xtest.fake_input(self.display, X.MotionNotify, x=x, y=y)
        self.display.sync()

    def click(self, x, y):
        """With the first button."""
        self.move(x, y)
        for kind in (X.ButtonPress, X.ButtonRelease):
            xtest.fake_input(self.display, kind, 1)
        self.display.sync()

    def press(self, name):
        """A key by the name that X gives it, with Shift where it takes that."""
        symbol = XK.string_to_keysym(name)
        key = self.display.keysym_to_keycode(symbol)
        shift = self.display.keycode_to_keysym(key, 0) != symbol
        shift_key = self.display.keysym_to_keycode(XK.XK_Shift_L)
        keys = [shift_key, key] if shift else [key]
        for pressed in keys:
            xtest.fake_input(self.display, X.KeyPress, pressed)
        for released in reversed(keys):
            xtest.fake_input(self.display, X.KeyRelease, released)
        self.display.sync()

    def drop(self, path, window):
        """Drops a file on the middle of `window`; whether it was taken."""
        source = self.root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        source.set_selection_owner(self.atom("XdndSelection"), X.CurrentTime)
        x, y = self.middle(window)
        copy, kind = self.atom("XdndActionCopy"), self.atom("text/uri-list")

        def tell(name, *data):
            numbers = [source.id, *data, 0, 0, 0, 0][:5]
            window.send_event(event.ClientMessage(window=window, client_type=self.atom(name), data=(32, numbers)))
            self.display.flush()

        tell("XdndEnter", VERSION << 24, kind)
        started, told, moved = time.monotonic(), False, 0.0
        while time.monotonic() - started < PATIENCE:
            # A hand isn't still: the position comes again and again until it drops.
            if not told and time.monotonic() - moved > 0.2:
                tell("XdndPosition", 0, x << 16 | y, X.CurrentTime, copy)
                moved = time.monotonic()
            if not self.display.pending_events():
                time.sleep(0.01)
                continue
            answer = self.display.next_event()
            if answer.type == X.SelectionRequest:
                self.hand_over(answer, pathlib.Path(path).resolve().as_uri())
            elif answer.type == X.ClientMessage:
                numbers = answer.data[1]
                if answer.client_type == self.atom("XdndStatus") and not told:
                    if not numbers[1] & 1:
                        return False
                    tell("XdndDrop", 0, X.CurrentTime)
                    told = True
                elif answer.client_type == self.atom("XdndFinished"):
                    return bool(numbers[1] & 1)
        raise TimeoutError("the window never answered")

    def hand_over(self, request, uri):
        """Answers a request for what is dragged."""
        request.requestor.change_property(request.property, request.target, 8, f"{uri}\r\n".encode())
        answer = event.SelectionNotify(
            time=request.time,
            requestor=request.requestor,
            selection=request.selection,
            target=request.target,
            property=request.property,
        )
        request.requestor.send_event(answer)
        self.display.flush()
