"""The VST3 in a host nobody here wrote: pedalboard, which is JUCE's.

pedalboard renders offline and compensates the reported latency itself, so a wrong report shows as a shifted output.
"""

import pathlib

import numpy as np
import pedalboard
import pedalboard.io
import pytest

ROOT = pathlib.Path(__file__).parents[2]
BUNDLE = ROOT / "target" / "bundled" / "vrvq.vst3"
HOP = 512


def load(**parameters):
    plugin = pedalboard.load_plugin(str(BUNDLE))
    for name, value in parameters.items():
        setattr(plugin, name, value)
    return plugin


def safety_name():
    """pedalboard makes the unit a part of the name."""
    return next(name for name in load().parameters if name.startswith("safety"))


def audio(seconds, rate, channels):
    """The bundled clip's drums and loops, resampled to `rate`: shape [channels, samples]."""
    with pedalboard.io.AudioFile(str(ROOT / "assets" / "demo.flac")) as file:
        own_rate = file.samplerate
        samples = file.read(file.frames)[:, int(6.6 * own_rate) :]
    if rate != own_rate:
        # Linear interpolation is good enough for a test signal.
        positions = np.arange(int(seconds * rate)) * own_rate / rate
        samples = np.stack([np.interp(positions, np.arange(len(c)), c) for c in samples])
    return np.ascontiguousarray(samples[:channels, : int(seconds * rate)], dtype=np.float32)


def best_lag(reference, output, reach):
    """Lag of `output` behind `reference` in samples, by circular correlation."""
    spectrum = np.fft.rfft(output) * np.conj(np.fft.rfft(reference))
    correlation = np.fft.irfft(spectrum, len(reference))
    lags = np.concatenate([np.arange(reach + 1), np.arange(-reach, 0)])
    return int(lags[np.argmax(correlation[lags])])


def test_parameters_have_their_names_and_ranges():
    plugin = load()
    assert {"level", "monitor", "bypass"} <= set(plugin.parameters), list(plugin.parameters)
    assert any(name.startswith("safety") for name in plugin.parameters)
    texts = [float(plugin.parameters["level"].get_text_for_raw_value(v)) for v in (0.0, 0.5, 1.0)]
    assert texts[0] == pytest.approx(1, abs=0.01)
    assert texts[1] == pytest.approx(48**0.5, abs=0.1), "the level knob is logarithmic"
    assert texts[2] == pytest.approx(48, abs=0.1)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("block", [1, 17, 64, 511, 8192])
def test_dry_is_exact_and_decoded_is_aligned(rate, channels, block):
    signal = audio({1: 0.3, 17: 0.6, 64: 0.6}.get(block, 1.2), rate, channels)
    for setting in ({"monitor": "Dry"}, {"bypass": True}):
        dry = load(**setting).process(signal, rate, buffer_size=block)
        assert np.array_equal(dry, signal), setting
    decoded = load(monitor="Decoded").process(signal, rate, buffer_size=block)
    assert decoded.shape == signal.shape
    assert np.abs(decoded).max() > 0.05
    for reference, output in zip(signal, decoded):
        assert abs(best_lag(reference, output, 2 * HOP)) <= 1 + rate // 44100


@pytest.mark.parametrize("safety", [0, 1, 8])
def test_reported_latency_is_two_hops_plus_what_the_block_and_the_safety_need(safety):
    signal = audio(0.4, 44100, 2)
    plugin = load(monitor="Dry", **{safety_name(): safety})
    # A change of latency takes a restart, which this host does at the next sound.
    plugin.process(signal, 44100, buffer_size=256)
    assert np.array_equal(plugin.process(signal, 44100, buffer_size=256), signal)
    assert plugin.reported_latency_samples == 2 * HOP + 256 + safety * HOP


def test_a_bounce_repeats_to_the_bit():
    signal = audio(1.0, 48000, 2)
    first = load().process(signal, 48000, buffer_size=512)
    assert np.array_equal(first, load().process(signal, 48000, buffer_size=512))


def test_constant_bitrate_has_its_own_sound_and_comes_back_with_the_state():
    signal = audio(1.0, 44100, 1)
    plugins = [load(mode="CBR", codebooks=number) for number in (1, 8)]
    outputs = [plugin.process(signal, 44100) for plugin in plugins]
    errors = [np.square(signal - output).sum() for output in outputs]
    assert errors[1] < 0.6 * errors[0], "more codebooks, less error"
    other = load()
    assert str(other.mode) == "VBR"
    # The host hands a change of a parameter over with the next block, so the state is that after process().
    other.raw_state = plugins[1].raw_state
    assert np.array_equal(other.process(signal, 44100), outputs[1])
    assert (str(other.mode), int(other.codebooks)) == ("CBR", 8)


def test_difference_is_dry_less_decoded():
    signal = audio(1.0, 48000, 2)
    decoded, difference = (load(monitor=choice).process(signal, 48000, buffer_size=512) for choice in ("Decoded", "Difference"))
    # The start of a stream fades in.
    np.testing.assert_allclose(difference[:, 4800:], (signal - decoded)[:, 4800:], atol=1e-5)
    assert np.abs(difference[:, 4800:]).max() > 0.01


def test_the_level_changes_the_sound_and_silence_stays_silent():
    signal = audio(1.0, 44100, 1)
    low, high = load(), load()
    low.parameters["level"].raw_value = 0.0
    high.parameters["level"].raw_value = 1.0
    low, high = low.process(signal, 44100), high.process(signal, 44100)
    error = [np.square(signal - output).sum() for output in (low, high)]
    assert error[1] < 0.7 * error[0], "more codebooks, less error"
    silence = load().process(np.zeros((1, 44100), np.float32), 44100)
    assert np.abs(silence).max() < 1e-3


def test_state_is_saved_and_restored():
    plugin = load(monitor="Dry", bypass=True, **{safety_name(): 3})
    plugin.parameters["level"].raw_value = 0.25
    plugin.process(audio(0.1, 44100, 2), 44100)
    state = plugin.raw_state
    other = load()
    other.raw_state = state
    other.process(audio(0.1, 44100, 2), 44100)
    assert other.parameters["level"].raw_value == pytest.approx(0.25, abs=1e-6)
    assert str(other.monitor) == "Dry"
    assert other.bypass
    assert getattr(other, safety_name()) == 3
    assert other.reported_latency_samples == plugin.reported_latency_samples
