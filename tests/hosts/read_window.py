"""A screen reader's side of windows, as pyatspi gives it on this session's bus. For each line of standard input, a request in
JSON: what to do ("read", "press", "set"), a widget's name, and the value to set it to, a line of output: what the widget is then,
or null where there is none of that name. For test_reader.py, and the system's own Python, which has pyatspi."""

import json
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib

# What a screen reader sets when it starts: programs say nothing until then.
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
wanted = GLib.Variant("(ssv)", ("org.a11y.Status", "IsEnabled", GLib.Variant("b", True)))
bus.call_sync(
    "org.a11y.Bus", "/org/a11y/bus", "org.freedesktop.DBus.Properties", "Set", wanted, None, Gio.DBusCallFlags.NONE, -1, None
)

import pyatspi


def find(name):
    for program in pyatspi.Registry.getDesktop(0):
        found = program and pyatspi.findDescendant(program, lambda widget: widget.name == name)
        if found:
            return found
    return None


def describe(widget):
    states = [pyatspi.stateToString(state) for state in widget.getState().getStates()]
    told = {"role": widget.getRoleName(), "states": states}
    if "Value" in pyatspi.listInterfaces(widget):
        value = widget.queryValue()
        told["value"] = [value.minimumValue, value.currentValue, value.maximumValue]
    return told


for line in sys.stdin:
    what, name, number = json.loads(line)
    told = None
    # A widget may go while it is asked.
    try:
        widget = find(name)
        if widget is not None:
            if what == "press":
                widget.queryAction().doAction(0)
            elif what == "set":
                widget.queryValue().currentValue = number
            told = describe(widget)
    except (GLib.Error, LookupError, NotImplementedError):
        pass
    print(json.dumps(told), flush=True)
