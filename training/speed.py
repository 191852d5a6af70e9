"""How many times faster than real time PyTorch encodes and decodes whole files, for comparison with ``vrvq bench``.

    python speed.py ../assets/live.vrvqmodel            # the live model, read back from its file
    python speed.py --full                              # the published VRVQ model's shape, random weights
    python speed.py --full --device cuda                # hop by hop on a GPU, beside `vrvq bench --live --device cuda:0`

Prints a row for each number of threads, the best of three runs; on a GPU what a hop takes: PyTorch keeps no state from call to
call, so live hops need all that they depend on computed anew.
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
    return lambda: model.analyse(audio), lambda: model.decode(codes[:, :, 3], counts)


REACH = 22  # hops before and behind a hop that the published model depends on (its delay, which is the same to both sides)


def full(audio):
    """The same of the published shape."""
    rate, make, shape = make_checkpoints.FULL["vrvq-full"]
    model = make(**make_checkpoints.FULL_SIZES, **shape).eval()
    make_checkpoints.spread(model)
    model = model.to(audio.device)
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


def hop_times(device, hops, runs):
    """Milliseconds of ``runs`` calls that make ``hops`` hops, encoder and decoder, sorted."""
    encode, decode = full(0.1 * torch.randn((hops + 2 * REACH) * 512, device=device))
    times = []
    for run in range(runs + 20):
        torch.cuda.synchronize()
        started = time.perf_counter()
        encode()
        decode()
        torch.cuda.synchronize()
        if run >= 20:
            times.append(1000 * (time.perf_counter() - started))
    return sorted(times)


def on_gpu(device, runs):
    # As the program: factors of products in full precision.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}\n")
    print("| hops | median, ms a call | p99 | worst |\n|---|---|---|---|")
    for hops in (1, 2, 4):
        times = hop_times(device, hops, runs)
        print(f"| {hops} | {times[len(times) // 2]:.2f} | {times[int(0.99 * (len(times) - 1))]:.2f} | {times[-1]:.2f} |")
    whole = 860
    times = hop_times(device, whole, 20)
    print(f"\nwhole files of 10 s: {times[len(times) // 2] / whole:.3f} ms a hop")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="model file")
    parser.add_argument("--full", action="store_true", help="the published shape instead")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="cuda: with --full only")
    parser.add_argument("--runs", type=int, default=1000, help="calls that are timed on a GPU")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    torch.manual_seed(0)
    if arguments.device != "cpu":
        if not arguments.full:
            parser.error("--device cuda times the published shape: --full")
        with torch.no_grad():
            on_gpu(arguments.device, arguments.runs)
        return
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
