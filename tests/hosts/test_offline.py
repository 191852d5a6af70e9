"""The VST3 rendered by DawDreamer, a host of JUCE that prepares a plug-in in real time first and then says, with a second
set-up and with each block, that it renders offline."""

import numpy as np
import pytest
from test_vst3 import BUNDLE, audio, best_lag

daw = pytest.importorskip("dawdreamer", reason="DawDreamer has no package for this Python")

BLOCK = 512


def render(samples, rate, **parameters):
    """What a new engine with a new plug-in makes of `samples` as its first render, and the latency that it is told."""
    engine = daw.RenderEngine(rate, BLOCK)
    player = engine.make_playback_processor("player", samples)
    plugin = engine.make_plugin_processor("vrvq", str(BUNDLE))
    indices = {p["name"]: p["index"] for p in plugin.get_parameters_description()}
    for name, value in parameters.items():
        plugin.set_parameter(indices[name], value)
    engine.load_graph([(player, []), (plugin, ["player"])])
    engine.render(samples.shape[1] / rate + 0.1)
    return engine.get_audio(), plugin.get_latency_samples()


@pytest.mark.parametrize("rate", [44100, 48000])
def test_a_first_render_is_complete_in_place_and_repeats(rate):
    sound = audio(2.0, rate, 2)
    everything = {"Mode": 0.5, "Codebooks": 7 / 31}  # constant bitrate, eight codebooks
    first, latency = render(sound, rate, **everything)
    again, _ = render(sound, rate, **everything)
    np.testing.assert_array_equal(first, again)
    decoded = first[:, latency : latency + sound.shape[1]]
    assert abs(best_lag(sound[0], decoded[0], 600)) <= 2
    # Nothing is missing, least of all at the start, where the model may still load.
    for part in range(10):
        cut = slice(part * rate // 5, (part + 1) * rate // 5)
        here = [np.sqrt(np.mean(signal[0, cut] ** 2)) for signal in (sound, decoded)]
        assert here[1] > 0.4 * here[0] - 1e-4, f"part {part}: {here[1]} of {here[0]}"


def test_dry_is_bit_exact_after_the_latency():
    sound = audio(1.0, 44100, 2)
    output, latency = render(sound, 44100, Bypass=1.0)
    np.testing.assert_array_equal(output[:, latency : latency + sound.shape[1]], sound)
