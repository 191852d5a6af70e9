"""How many times faster than real time PyTorch encodes and decodes whole files, for comparison with ``vrvq bench``.

    python speed.py ../assets/live.vrvqmodel            # the live model, read back from its file
    python speed.py --full                              # the published VRVQ model's shape, random weights

Prints a row for each number of threads: the best of three runs.
"""

import argparse
import pathlib
import time

import torch

import make_checkpoints
from vrvq_training import config, restore

LIVE = pathlib.Path(__file__).parent / "configs" / "live.toml"


def live(path, audio):
    """Encoding and decoding by the live model, as functions without arguments."""
    model, _ = restore.read(path, config.load(LIVE)["model"])
    audio = audio[: len(audio) // model.hop * model.hop][None]
    codes, _ = model.analyse(audio)
    counts = torch.full(codes.shape[:2], 4)
    return lambda: model.analyse(audio), lambda: model.decode(codes, counts)


def full(audio):
    """The same of the published shape."""
    rate, make, shape = make_checkpoints.FULL["vrvq-full"]
    model = make(**make_checkpoints.FULL_SIZES, **shape).eval()
    make_checkpoints.spread(model)
    decoder, model.decoder.model = model.decoder.model, torch.nn.Identity()
    audio = audio[: len(audio) // 512 * 512][None, None]
    latent = model(audio, 6.0)[-1]
    return lambda: model(audio, 6.0), lambda: decoder(latent)


def best(work, runs=3):
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="model file")
    parser.add_argument("--full", action="store_true", help="the published shape instead")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    torch.manual_seed(0)
    audio = 0.1 * torch.randn(int(arguments.seconds * 44100))
    print("| threads | encode, x real time | decode, x real time |\n|---|---|---|")
    with torch.no_grad():
        encode, decode = full(audio) if arguments.full else live(arguments.model, audio)
        for threads in arguments.threads:
            torch.set_num_threads(threads)
            speeds = [arguments.seconds / best(work) for work in (encode, decode)]
            print(f"| {threads} | {speeds[0]:.2f} | {speeds[1]:.2f} |")


if __name__ == "__main__":
    main()
