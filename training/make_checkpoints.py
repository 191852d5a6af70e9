"""Small checkpoints of random weights in the published models' shapes, and what PyTorch makes of them.

    python make_checkpoints.py ../tests/data/checkpoints
    python make_checkpoints.py --full FOLDER [NAME ...]

The program's tests import the checkpoints and hold their streams against these whole-file results; `--full` makes some
of the published VRVQ and DAC models' sizes (300 MB each), for `cargo run --example exactness`. This is a plain implementation
of its own: whole signals, zero padding, nothing of the streaming graphs.
"""

import collections
import json
import math
import pathlib
import sys
import time as clock

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import weight_norm


class Snake(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.alpha = nn.Parameter(0.3 + torch.rand(1, channels, 1))

    def forward(self, x):
        return x + torch.sin(self.alpha * x) ** 2 / (self.alpha + 1e-9)


def conv(inputs, outputs, kernel, dilation=1):
    padding = (kernel - 1) // 2 * dilation
    return weight_norm(nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding=padding))


class Residual(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.block = nn.Sequential(
            Snake(channels), conv(channels, channels, 7, dilation), Snake(channels), conv(channels, channels, 1)
        )

    def forward(self, x):
        return x + self.block(x)


class Block(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.block = nn.Sequential(*layers)

    def forward(self, x):
        return self.block(x)


def units(channels):
    return [Residual(channels, dilation) for dilation in (1, 3, 9)]


def down(inputs, stride):
    layer = nn.Conv1d(inputs, 2 * inputs, 2 * stride, stride=stride, padding=math.ceil(stride / 2))
    return Block(*units(inputs), Snake(inputs), weight_norm(layer))


def up(inputs, stride):
    outputs = inputs // 2
    layer = nn.ConvTranspose1d(inputs, outputs, 2 * stride, stride=stride, padding=math.ceil(stride / 2))
    return Block(Snake(inputs), weight_norm(layer), *units(outputs))


class Quantizer(nn.Module):
    def __init__(self, latent, entries, dims):
        super().__init__()
        self.in_proj, self.out_proj = conv(latent, dims, 1), conv(dims, latent, 1)
        self.codebook = nn.Embedding(entries, dims)

    def forward(self, x):
        likeness = torch.einsum("bdt,ed->bte", F.normalize(self.in_proj(x)), F.normalize(self.codebook.weight))
        codes = likeness.argmax(-1)
        return codes, self.out_proj(self.codebook(codes).transpose(1, 2))


class Importance(nn.Module):
    def __init__(self, channels, widths):
        super().__init__()
        self.in_block = nn.Sequential(Snake(channels), conv(channels, channels, 3))
        pairs = zip([channels, *widths], [*widths, 1])
        self.blocks = nn.ModuleList(nn.Sequential(Snake(a), conv(a, b, 3)) for a, b in pairs)

    def forward(self, x):
        x = self.in_block(x)
        for block in self.blocks:
            x = block(x)
        return torch.sigmoid(x)


class Codec(nn.Module):
    def __init__(self, width, strides, decoder_width, codebooks, entries, dims, importance):
        super().__init__()
        latent = width * 2 ** len(strides)
        downs = [down(width * 2**i, stride) for i, stride in enumerate(strides)]
        self.encoder = nn.Module()
        self.encoder.block = nn.Sequential(conv(1, width, 7), *downs, Snake(latent), conv(latent, latent, 3))
        self.quantizer = nn.Module()
        self.quantizer.quantizers = nn.ModuleList(Quantizer(latent, entries, dims) for _ in range(codebooks))
        if importance:
            self.quantizer.imp_subnet = Importance(latent, importance)
        ups = [up(decoder_width // 2**i, stride) for i, stride in enumerate(reversed(strides))]
        last = decoder_width // 2 ** len(strides)
        self.decoder = nn.Module()
        self.decoder.model = nn.Sequential(conv(latent, decoder_width, 7), *ups, Snake(last), conv(last, 1, 7), nn.Tanh())

    def forward(self, audio, level):
        """Codes ``[batch, codebooks, frames]``, importance (or None), counts and decoded samples of whole files."""
        features = self.encoder.block[:-2](audio)
        rest = self.encoder.block[-2:](features)
        importance = self.quantizer.imp_subnet(features)[:, 0] if hasattr(self.quantizer, "imp_subnet") else None
        codes, parts = [], []
        for quantizer in self.quantizer.quantizers:
            code, part = quantizer(rest)
            rest = rest - part
            codes.append(code)
            parts.append(part)
        codebooks = len(codes)
        if importance is None:
            counts = torch.full_like(codes[0], codebooks)
        else:
            counts = torch.clamp(torch.floor(level * importance).long() + 1, max=codebooks)
        used = torch.arange(codebooks, device=audio.device)[None, :, None] < counts[:, None]
        latent = (torch.stack(parts, 1) * used[:, :, None]).sum(1)
        return torch.stack(codes, 1), importance, counts, self.decoder.model(latent)


MODELS = {
    "vrvq-44k": (44100, Codec, dict(width=2, strides=[2, 4, 8, 8], codebooks=4, importance=[8, 4])),
    "dac-24k": (24000, Codec, dict(width=2, strides=[2, 4, 5, 8], codebooks=5, importance=[])),
    "dac-16k": (16000, Codec, dict(width=2, strides=[2, 4, 5, 8], codebooks=3, importance=[])),
}
FULL = {
    "vrvq-full": (44100, Codec, dict(width=64, strides=[2, 4, 8, 8], codebooks=8, importance=[512, 128, 32, 8])),
    "dac-16k-full": (16000, Codec, dict(width=64, strides=[2, 4, 5, 8], codebooks=12, importance=[])),
    "dac-24k-full": (24000, Codec, dict(width=64, strides=[2, 4, 5, 8], codebooks=32, importance=[])),
}
SMALL_SIZES, FULL_SIZES = dict(decoder_width=32, entries=64, dims=4), dict(decoder_width=1536, entries=1024, dims=8)
LEVEL, FRAMES = 6.0, 40


def spread(model):
    """Random weights under which signals neither die nor explode, with biases that silence doesn't stay silent under."""
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, std=0.05)
        if name.endswith("weight_g"):
            parameter.data *= 1.0 if ".block.3." in name and ".block.4" not in name else 2.0
    for quantizer in model.quantizer.quantizers:
        quantizer.in_proj.bias.data.zero_()
        quantizer.out_proj.weight_g.data *= 0.5
    model.decoder.model[-2].weight_g.data *= 0.02
    if hasattr(model.quantizer, "imp_subnet"):
        model.quantizer.imp_subnet.blocks[-1][-1].weight_g.data *= 0.3


def main(folder, models=MODELS, sizes=SMALL_SIZES):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, (rate, make, shape)) in enumerate(models.items()):
        torch.manual_seed(seed)
        model = make(**sizes, **shape).eval()
        spread(model)
        if name == "vrvq-44k":
            # Some channels that are straight, by which values can't be scaled.
            for snake in [module for module in model.modules() if isinstance(module, Snake)][::3]:
                snake.alpha.data[:, 0] = 0
        hop = math.prod(shape["strides"])
        time = torch.arange(FRAMES * hop) / rate
        audio = 0.4 * torch.sin(2 * math.pi * 220 * time * (1 + time)) + 0.1 * torch.randn(FRAMES * hop)
        audio[: 3 * hop // 2] *= 0.02
        audio = (audio * 1e4).round() / 1e4
        torch.set_num_threads(1)
        with torch.no_grad():
            started = clock.perf_counter()
            codes, importance, counts, decoded = model(audio[None, None], LEVEL)
        print(f"{name}: whole file {(clock.perf_counter() - started) / FRAMES * 1000:.2f} ms a hop, one thread")
        state = collections.OrderedDict(model.state_dict())
        if name.startswith("dac-16k"):
            tensors = {key: value.contiguous() for key, value in state.items()}
            save_file(tensors, folder / f"{name}.safetensors", metadata={"sample_rate": str(rate)})
        elif name.startswith("dac-24k"):
            kwargs = {"sample_rate": rate, "encoder_rates": shape["strides"], "n_codebooks": shape["codebooks"]}
            torch.save({"state_dict": state, "metadata": {"kwargs": kwargs}}, folder / f"{name}.pth")
        else:
            torch.save(state, folder / f"{name}.pth")
        numbers = lambda tensor, digits: [round(value, digits) for value in tensor.flatten().tolist()]
        reference = {
            "hop": hop, "level": LEVEL, "audio": numbers(audio, 4), "codes": codes[0].T.tolist(),
            "importance": None if importance is None else numbers(importance, 6),
            "counts": counts[0].tolist(), "decoded": numbers(decoded, 5),
        }
        (folder / f"{name}.json").write_text(json.dumps(reference, separators=(",", ":")))
        print(name, "counts", sorted(collections.Counter(counts[0].tolist()).items()),
              "peak", float(decoded.abs().max()), "entries used", len(set(codes.flatten().tolist())))


if __name__ == "__main__":
    if sys.argv[1] == "--full":
        # All of them, or those that are named.
        main(sys.argv[2], {name: FULL[name] for name in sys.argv[3:] or FULL}, FULL_SIZES)
    else:
        main(*sys.argv[1:])
