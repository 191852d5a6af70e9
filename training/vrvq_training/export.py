"""Writes the model file: a ZIP of ``card.json``, ``encoder.onnx``, ``decoder.onnx`` and ``codebooks.f16``.

The encoder gives latents; the program searches the codes in ``codebooks.f16`` (half-precision floats, little-endian,
``[codebooks, codebook_size, dims]``), since no graph does a beam search fast.

Both graphs step any number of hops for any batch; all their past is one flat state tensor in and out, zero at the
start of a stream. The weights are rounded to half precision, and with ``weight_bits = 8`` the network's matrices to eight
bits, which halves hold exactly; ``rounded`` gives the PyTorch model with the same weights, which is the one to evaluate.
"""

import copy
import json
import pathlib
import zipfile

import numpy as np
import soundfile
import torch
from onnx import TensorProto

from .graph import END, Graph
from .model import EPSILON
from .postfilter import FLOOR, GROUP, SHIFTS
from .quantizer import count, for_counts

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
# Name of the spectrum before the postfilter in the decoder's graph, where it has one; the program looks for it.
UNFILTERED = "unfiltered"


def is_eight_bits(weight):
    """For each output of ``[outputs, inputs]``, ``[outputs, 1]``: whether its weights are whole multiples, of 127 at most, of one
    number, as halves. That is how the program finds out."""
    whole = (weight.double() * 2.0**24).long()  # of the smallest half
    divisor = whole.abs()
    while divisor.shape[1] > 1:
        odd, pairs = divisor[:, : divisor.shape[1] % 2], divisor[:, divisor.shape[1] % 2 :]
        divisor = torch.cat([odd, torch.gcd(pairs[:, ::2], pairs[:, 1::2])], 1)
    fits = whole.abs().amax(1, keepdim=True) <= 127 * divisor
    return fits & (weight == weight.half()).all(1, keepdim=True)


def eight_bits(weight):
    """``[outputs, inputs]`` with each output's weights rounded to whole multiples, of 127 at most, of one number of four
    significant bits: times seven bits that are the eleven of a half. Weights that are already multiples of one stay."""
    step = (weight.double().abs().amax(1, keepdim=True) / 127).clamp_min(2.0**-20)
    unit = torch.exp2(torch.floor(torch.log2(step)) - 3)
    step = torch.ceil(step / unit) * unit
    return torch.where(is_eight_bits(weight), weight, (torch.round(weight / step) * step).float())


def _matrices(model):
    """The network's layers: what adds to the linear path, which is kept in half precision as the codebooks are."""
    yield from (model.encoder_in, model.encoder_out, model.decoder_in, model.decoder_out)
    for block in [*model.encoder_blocks, *model.decoder_blocks]:
        yield from (block.widen, block.narrow)


def rounded(model):
    """A copy with all weights rounded to half precision, those of the network to ``weight_bits`` if these are 8."""
    model = copy.deepcopy(model).eval()
    if model.config.get("weight_bits", 16) == 8:
        for layer in _matrices(model):
            layer.weight.data = eight_bits(layer.weight.data)
    for tensor in list(model.parameters()) + list(model.buffers()):
        tensor.data = tensor.data.half().float()
    return model


class State:
    """Hands out parts of the flat state tensor and collects their successors."""

    def __init__(self, graph):
        self.graph, self.size, self.successors = graph, 0, []

    def past(self, frames, width):
        """The next ``frames * width`` values of the state as ``[batch, frames, width]``."""
        part = self.graph.slice("state", self.size, self.size + frames * width, 1)
        self.size += frames * width
        return self.graph.reshape(part, -1, frames, width)

    def keep(self, x, frames, width):
        """The last ``frames`` frames of ``x`` become that part of the next state."""
        self.successors.append(self.graph.reshape(self.graph.slice(x, -frames, END, 1), -1, frames * width))

    def next(self):
        return self.graph.concat(self.successors, 1)


def _depthwise(graph, state, x, layer):
    """Causal depthwise convolution as shifted slices, which runtimes do faster than a one-frame convolution."""
    kernel, width = layer.weight.shape
    extended = graph.concat([state.past(kernel - 1, width), x], 1)
    state.keep(extended, kernel - 1, width)
    total = graph.weight(layer.bias)
    for tap in range(kernel):
        shifted = graph.slice(extended, tap, tap - kernel + 1 if tap < kernel - 1 else END, 1)
        total = graph.plus(graph.mul(shifted, graph.weight(layer.weight[tap])), total)
    return total


def _causal_mean(graph, state, x, frames):
    """As :func:`vrvq_training.model.causal_mean`, as a convolution with equal taps of ``x`` and of ones beside it."""
    ones = graph.plus(graph.mul(x, graph.constant(0.0)), graph.constant(1.0))
    extended = graph.concat([state.past(frames - 1, 2), graph.concat([x, ones], 2)], 1)
    state.keep(extended, frames - 1, 2)
    taps = graph.constant(np.full((2, 1, frames), 1 / frames))
    rows = graph.add("Transpose", [extended], perm=[0, 2, 1])
    sums = graph.add("Transpose", [graph.add("Conv", [rows, taps], group=2)], perm=[0, 2, 1])
    return graph.add("Div", [graph.slice(sums, 0, 1, 2), graph.slice(sums, 1, 2, 2)])


def _block(graph, state, x, block):
    hidden = graph.normalise(_depthwise(graph, state, x, block.depthwise), EPSILON)
    return graph.plus(x, graph.linear(graph.silu(graph.linear(hidden, block.widen)), block.narrow))


def _beside(graph, x, groups):
    """As :func:`vrvq_training.postfilter.beside` of ``[batch, frames, groups, n]``."""
    padded = graph.add("Pad", [x, graph.integers(0, 0, 1, 0, 0, 0, 1, 0)])
    return graph.concat([graph.slice(padded, at, at + groups, 2) for at in range(3)], 3)


def _postfilter(graph, state, companded, spectrum, hidden, filter_):
    """As :class:`vrvq_training.postfilter.Postfilter`."""
    g, bins, groups = graph, filter_.bins, filter_.bins // GROUP
    grouped = lambda x: g.reshape(x, 0, -1, groups, GROUP)

    def extended(x, past):
        """The bins of ``x`` that are filtered, with ``past`` frames before."""
        extended = g.concat([state.past(past, bins), x], 1)
        state.keep(extended, past, bins)
        return extended

    def windows(parts, past):
        """Each of ``parts`` at every frame of the past and at this one, joined at the last axis."""
        at = lambda x, k: g.slice(x, k, k - past if k < past else END, 1)
        return g.concat([at(x, k) for x in parts for k in range(past + 1)], 3)

    low = extended(g.slice(companded, 0, bins, 2), filter_.past)
    seen = windows([_beside(g, grouped(low), groups)], filter_.past)
    power = g.add("ReduceMean", [g.mul(seen, seen)], axes=[2, 3], keepdims=1)
    seen = g.mul(seen, g.add("Pow", [g.plus(power, g.constant(FLOOR)), g.constant(-0.5)]))
    x = g.linear(g.concat([seen, g.add("Abs", [seen])], 3), filter_.first)
    told = g.add("Unsqueeze", [g.linear(hidden, filter_.told), g.integers(2)])
    x = g.silu(g.plus(g.plus(x, g.weight(filter_.place)), told))
    for layer in filter_.layers:
        wide = g.silu(g.linear(_beside(g, x, groups), layer.widen))
        x = g.plus(x, g.linear(wide, layer.narrow))
    now = g.slice(spectrum, 0, bins, 2)
    low = extended(now, filter_.taps - 1)
    low = g.add("Pad", [low, g.integers(0, 0, SHIFTS // 2, 0, 0, SHIFTS // 2)])
    reached = windows([grouped(g.slice(low, at, at + bins, 2)) for at in range(SHIFTS)], filter_.taps - 1)
    parts = g.reshape(g.mul(g.linear(x, filter_.last), reached), 0, -1, groups, SHIFTS * filter_.taps, GROUP)
    change = g.reshape(g.add("ReduceSum", [parts, g.integers(3)], keepdims=0), 0, -1, bins)
    return g.concat([g.plus(now, change), g.slice(spectrum, bins, END, 2)], 2)


def _io(hop, codebooks, size):
    audio = ("audio", FLOAT, ["batch", "hops", hop])
    codes = ("codes", INT, ["batch", "hops", codebooks])
    state, next_state = (("state", FLOAT, ["batch", size]), ("next_state", FLOAT, ["batch", size]))
    return audio, codes, state, next_state


def encoder(model, graph=None):
    """The encoder's graph and the size of its state."""
    g, config, hop = graph or Graph(), model.config, model.hop
    state = State(g)
    joined = g.concat([state.past(1, hop), "audio"], 1)
    state.keep(joined, 1, hop)
    frames = g.concat([g.slice(joined, 0, -1, 1), "audio"], 2)
    spectrum = g.matmul(frames, g.weight(model.basis))
    weighted = g.mul(g.compand(spectrum, config["companding"]), g.weight(model.weighting))
    norm = g.add("Sqrt", [g.add("ReduceSum", [g.mul(weighted, weighted), g.integers(-1)], keepdims=1)])
    floor = config["gain_floor"]
    shape = g.add("Div", [weighted, g.plus(norm, g.constant(floor))])
    gain = g.add("Log", [g.plus(g.mul(norm, g.constant(1 / floor)), g.constant(1.0))])
    centred = g.add("Sub", [gain, g.weight(model.gain_mean)])
    features = g.concat([g.mul(shape, g.constant(hop**0.5 * 0.5)), centred], 2)
    hidden = g.linear(features, model.encoder_in)
    for block in model.encoder_blocks:
        hidden = _block(g, state, hidden, block)
    linear = g.concat([centred, g.matmul(shape, g.weight(model.analysis))], 2)
    latent = g.plus(linear, g.linear(g.normalise(hidden, EPSILON), model.encoder_out))
    subnet = model.importance
    x = g.normalise(_depthwise(g, state, hidden, subnet.depthwise), EPSILON)
    if subnet.gain_frames:
        slow = _causal_mean(g, state, centred, subnet.gain_frames)
        x = g.concat([x, centred, g.add("Sub", [centred, slow])], 2)
    x = g.silu(g.linear(g.silu(g.linear(x, subnet.first)), subnet.second))
    importance = g.add("Sigmoid", [g.linear(x, subnet.last)])
    importance = g.add("Squeeze", [importance, g.integers(2)])
    audio, _, state_in, state_out = _io(hop, config["codebooks"], state.size)
    outputs = {"latent": latent, "importance": importance, "next_state": state.next()}
    latent_io = ("latent", FLOAT, ["batch", "hops", config["shape_dims"] + 1])
    importance_io = ("importance", FLOAT, ["batch", "hops"])
    return g.model("encoder", [audio, state_in], [latent_io, importance_io, state_out], outputs), state.size


def decoder(model, graph=None, spectrum=False):
    """The decoder's graph and the size of its state; with ``spectrum`` the MDCT is an output too."""
    g, config, hop = graph or Graph(), model.config, model.hop
    state = State(g)
    latent = None
    for k, book in enumerate(model.quantizer.codebooks):
        code = g.add("Gather", ["codes", g.constant(k, "int64")], axis=2)
        used = g.add("Less", [g.constant(k, "int64"), "count"])
        mask = g.add("Unsqueeze", [g.add("Cast", [used], to=FLOAT), g.integers(2)])
        entry = g.mul(g.add("Gather", [g.weight(book), code], axis=0), mask)
        latent = entry if latent is None else g.plus(latent, entry)
    hidden = g.linear(latent, model.decoder_in)
    for block in model.decoder_blocks:
        hidden = _block(g, state, hidden, block)
    hidden = g.normalise(hidden, EPSILON)
    correction = g.linear(hidden, model.decoder_out)
    gain = g.plus(g.slice(latent, 0, 1, 2), g.weight(model.gain_mean))
    gain = g.plus(gain, g.slice(correction, 0, 1, 2))
    gain = g.add("Clip", [gain, g.constant(0.0), g.constant(16.0)])
    size = g.mul(g.add("Sub", [g.add("Exp", [gain]), g.constant(1.0)]), g.constant(config["gain_floor"]))
    shape = g.matmul(g.slice(latent, 1, END, 2), g.weight(model.synthesis))
    shape = g.plus(shape, g.slice(correction, 1, END, 2))
    unweighted = g.add("Div", [g.mul(shape, size), g.weight(model.weighting)])
    mdct = g.compand(unweighted, 1 / config["companding"])
    if model.postfilter is not None:
        mdct = _postfilter(g, state, unweighted, g.named(UNFILTERED, mdct), hidden, model.postfilter)
    pieces = g.matmul(mdct, g.add("Transpose", [g.weight(model.basis)], perm=[1, 0]))
    overlaps = g.concat([state.past(1, hop), g.slice(pieces, hop, END, 2)], 1)
    state.keep(overlaps, 1, hop)
    decoded = g.plus(g.slice(pieces, 0, hop, 2), g.slice(overlaps, 0, -1, 1))
    audio, code_io, state_in, state_out = _io(hop, config["codebooks"], state.size)
    count = ("count", INT, ["batch", "hops"])
    outputs = {"audio": decoded, "next_state": state.next()}
    made = [audio, state_out]
    if spectrum:
        outputs["spectrum"] = mdct
        made.append(("spectrum", FLOAT, ["batch", "hops", hop]))
    return g.model("decoder", [code_io, count, state_in], made, outputs), state.size


def parameters(model):
    """Number of weights, the fixed transform included."""
    return sum(t.numel() for t in list(model.parameters()) + list(model.buffers()))


def write(model, path, details):
    """Writes the file for ``model`` (as :func:`rounded` gives it); ``details`` completes the card."""
    config = model.config
    encoder_graph, encoder_state = encoder(model)
    decoder_graph, decoder_state = decoder(model)
    card = {
        "format": 1,
        "sample_rate": config["sample_rate"],
        "hop": config["hop"],
        "codebooks": config["codebooks"],
        "codebook_size": config["codebook_size"],
        "latency_samples": {"encoder": 0, "decoder": config["hop"]},
        "level": {"min": 1, "max": 48, "default": 16},
        "search": {"dims": config["shape_dims"] + 1, "beam": config["beam"]},
        "encoder_state": encoder_state,
        "decoder_state": decoder_state,
        "parameters": parameters(model),
        "config": config,
    } | details
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", json.dumps(card, indent=1, ensure_ascii=False))
        archive.writestr("encoder.onnx", encoder_graph.SerializeToString())
        archive.writestr("decoder.onnx", decoder_graph.SerializeToString())
        archive.writestr("codebooks.f16", model.quantizer.codebooks.numpy().astype("<f2").tobytes())


def write_reference(model, clip, path, frames=200, level=16.0, every=29):
    """What the program must get from the left channel of ``clip``: codes with all codebooks, importance, and at ``level``
    the codes that are sent, every 29th sample decoded from them, and the codes that are chosen by their sound, and with the
    search refined."""
    from . import synthesis  # which exports the decoder

    audio, _ = soundfile.read(clip, dtype="float32", always_2d=True)
    audio = torch.from_numpy(audio[: frames * model.hop, 0].copy())[None]
    with torch.no_grad():
        codes, importance = model.analyse(audio)
        counts = count(importance, level, codes.shape[-1])
        sent = for_counts(codes, counts)
        decoded = model.decode(sent, counts)
        chosen = synthesis.choose(model, audio, counts, 8)
        refined = synthesis.choose(model, audio, counts, 16, rounds=3)
    packed = lambda codes: [row[:n] for row, n in zip(codes[0].tolist(), counts[0].tolist())]
    reference = {
        "level": level, "every": every, "codes": codes[0, :, -1].tolist(),
        "sent": packed(sent), "chosen": packed(chosen), "refined": packed(refined),
        "importance": [round(p, 6) for p in importance[0].tolist()],
        "decoded": [round(v, 6) for v in decoded[0, ::every].tolist()],
    }
    _write(path, reference)


def write_importance(model, folder, path, seconds=30):
    """Importance maps of held-out speech and music: what rate control is tested on."""
    maps = {}
    for kind in ("speech", "music"):
        source = np.load(pathlib.Path(folder) / f"{kind}-test.npy", mmap_mode="r")
        audio = source[: seconds * 44100 // model.hop * model.hop].astype(np.float32) / 32768
        with torch.no_grad():
            _, importance = model.encode(torch.from_numpy(audio)[None])
        maps[kind] = [round(p, 4) for p in importance[0].tolist()]
    _write(path, maps)


def _write(path, content):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(json.dumps(content, separators=(",", ":")))
