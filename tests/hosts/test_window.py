"""The VST3's window in pedalboard, on a screen that Xvfb keeps in a file."""

import pathlib
import shutil
import time

import pytest
from window import Host, Screen, colours, component

CHECKPOINTS = pathlib.Path(__file__).parents[1] / "data" / "checkpoints"


@pytest.fixture
def host(tmp_path):
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    screen = Screen(tmp_path)
    host = Host(screen, tmp_path)
    yield host
    host.kill()
    screen.close()


def test_the_window_opens_moves_with_the_sound_closes_and_opens_again(host):
    empty = colours(host.screen.picture())
    host.wait_for_sound()
    host.open_again()
    host.wait_for_sound()
    host.end()
    assert colours(host.screen.picture()) <= empty + 10, "something stays on the screen"


def test_windows_leave_no_sockets_open(host):
    sockets = []
    for _ in range(3):
        host.wait_for_sound()
        sockets.append(host.sockets())
        host.open_again()
    host.end()
    # The first window brings what the host itself keeps.
    assert 0 < sockets[2] <= sockets[1], sockets


def test_a_checkpoint_is_dropped_on_the_window_and_runs(host):
    host.wait_for_sound()
    assert host.hand.drop(CHECKPOINTS / "vrvq-44k.pth", host.window())
    models = pathlib.Path(host.folder / "data")
    host.wait_until("the model among the user's", lambda: any(models.rglob("*.vrvqmodel")))
    host.wait_for_sound()
    assert b"vrvq-44k" in component(host.end()), "the session keeps another model"


def test_keys_freeze_and_zoom_the_map(host):
    host.wait_for_sound()
    hand = host.hand
    x, y = hand.middle(host.window())
    hand.click(x, y)
    # The pointer's own figures leave the map with it.
    hand.move(1279, 799)

    def map_now():
        return host.screen.picture()[y - 100 : y + 20, x - 300 : x + 300]

    def still():
        before = map_now()
        time.sleep(0.5)
        return (map_now() == before).all()

    host.wait_until("a full map", lambda: colours(map_now()[:, :20]) > 20)
    hand.press("f")
    host.wait_until("a frozen map", still)
    whole = map_now()
    hand.press("plus")
    host.wait_until("a zoomed map", lambda: (map_now() != whole).mean() > 0.1 and still())
    hand.press("minus")
    host.wait_until("the map as before", lambda: (map_now() == whole).all())
    host.end()
