"""``python -m vrvq_training all``: from nothing to a model file with its figures. See README.md."""

import argparse
import json
import pathlib

import torch

from . import anchors, architectures, coded, config, data, datasets, evaluate, export, findings, loop, metrics, operating
from . import report, restore
from .model import LiveModel

FOLDER = pathlib.Path(__file__).parents[1]
MODEL = FOLDER.parent / "assets" / "live.vrvqmodel"
CLIP = FOLDER.parent / "assets" / "demo.flac"
REFERENCE = FOLDER.parent / "tests" / "data" / "reference.json"
IMPORTANCE = REFERENCE.with_name("importance.json")
PROGRAM = FOLDER.parent / "target" / "release" / "vrvq"
CODED_MINUTES = 12.0
COMMANDS = ("fetch", "prepare", "code", "train", "evaluate", "anchors", "export", "curves", "compare", "all")


def load(checkpoint, settings, weight_bits=None):
    """The model of a model file, or the averaged one of a checkpoint, rounded as it is exported; and its steps, where
    they are known. With ``weight_bits`` it is rounded to these."""
    steps = None
    if pathlib.Path(checkpoint).suffix == restore.SUFFIX:
        model, _ = restore.read(checkpoint, settings["model"])
    else:
        state = torch.load(checkpoint, weights_only=False, map_location="cpu")
        model, steps = architectures.build(state["config"]["model"]), state["step"]
        model.load_state_dict(state["average"])
    if not isinstance(model, LiveModel):
        return model.eval(), steps
    if weight_bits:
        model.config["weight_bits"] = weight_bits
    return export.rounded(model), steps


def main():
    parser = argparse.ArgumentParser(prog="python -m vrvq_training", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--data", default="data", help="folder of decoded audio; `train` also takes a TOML file of data sets")
    parser.add_argument("--sets", help="`prepare` takes these data sets (a TOML file, see datasets.py), not the packages")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="else the GPU, if there is one")
    parser.add_argument("--run", default="run", help="folder of the checkpoint and the log")
    parser.add_argument("--config", default=FOLDER / "configs" / "live.toml")
    parser.add_argument("--checkpoint", help="checkpoint or model file instead of the run's own, e.g. RUN/start.pt for the linear codec")
    parser.add_argument("--start", help="model file or checkpoint that a new run starts from, instead of the linear codec")
    parser.add_argument("--minutes", type=float, help="train no longer than this; the next call goes on. `code`: of each kind")
    parser.add_argument("--program", default=PROGRAM, help="the `vrvq` that `code` chooses codes with")
    parser.add_argument("--items", type=int, default=24, help="held-out items of 8 s for each kind")
    parser.add_argument("--candidates", type=int, default=1, help="`evaluate` chooses each frame's codes of so many by their sound")
    parser.add_argument("--rounds", type=int, default=0, help="and refines the search so often, from the best so far: 3 as the program does, 1 as it does live")
    parser.add_argument("--points", nargs="+", metavar="POINT", help="what `evaluate` measures, e.g. n=8 l=16, else counts and levels as in RESULTS.md")
    parser.add_argument("--measures", nargs="+", choices=metrics.ALL, help="what `curves`, `compare` and `anchors` measure, else all but ViSQOL")
    parser.add_argument("--visqol-items", type=int, default=6, help="items of each kind that ViSQOL is measured on")
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME=PATH", help="what `compare` puts side by side")
    parser.add_argument("--figures", help="folder that `curves` and `compare` write to, else RUN/curves")
    parser.add_argument("--weight-bits", type=int, choices=[8, 16], help="`evaluate` and `export` round the network's matrices to these, else as configured")
    parser.add_argument("--threads", type=int, help="processor threads")
    parser.add_argument("--output", default=MODEL)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    chosen = ["fetch", "prepare", "train", "evaluate", "export"] if arguments.command == "all" else [arguments.command]
    settings = config.load(arguments.config)
    rate = settings["model"]["sample_rate"]
    run = pathlib.Path(arguments.run)
    checkpoint = arguments.checkpoint or run / "checkpoint.pt"
    results = run / "results.json"
    if "fetch" in chosen:
        data.fetch(arguments.data)
    if "prepare" in chosen:
        if arguments.sets:
            datasets.prepare(datasets.load(arguments.sets), arguments.data, rate)
        else:
            data.prepare(arguments.data, rate=rate)
    if "code" in chosen:
        coded.make(
            arguments.data, arguments.program, arguments.minutes or CODED_MINUTES, max(arguments.candidates, 2), rate,
            architectures.build(settings["model"]).hop, settings["model"]["codebooks"],
        )
    if "train" in chosen:
        loop.run(settings, arguments.data, run, arguments.minutes, arguments.start, arguments.device)
    if "evaluate" in chosen:
        model, steps = load(checkpoint, settings, arguments.weight_bits)
        if arguments.rounds and arguments.candidates < 2:
            parser.error("--rounds choose among several --candidates")
        asked = lambda letter, usual: [int(p[2:]) for p in arguments.points if p.startswith(letter)] if arguments.points else usual
        measured = lambda counts, levels, **which: evaluate.table(
            model, arguments.data, arguments.items, asked("n=", counts), asked("l=", levels),
            candidates=arguments.candidates, rounds=arguments.rounds, **which,
        )
        figures = {
            "steps": steps,
            "points": measured((1, 2, 4, 8), (4, 8, 16, 32)),
            "check": measured((4, 8), (16, 32), kinds=("speech", "music"), split="check"),
            "silence": evaluate.silence(model, arguments.data),
            "codebook_use": evaluate.codebook_use(model, arguments.data),
        }
        results.write_text(json.dumps(figures, indent=1))
        print(evaluate.markdown(figures["points"]), evaluate.markdown(figures["check"]), sep="\n\n")
        print(figures["silence"], figures["codebook_use"])
    if "anchors" in chosen:
        measures = arguments.measures or anchors.MEASURES
        for split, kinds in (("test", data.KINDS), ("check", ("speech", "music"))):
            table = anchors.table(arguments.data, arguments.items, split, kinds, measures, arguments.visqol_items)
            print(f"{split}:", evaluate.markdown(table), sep="\n")
    figures_folder = arguments.figures or run / "curves"
    if "curves" in chosen:
        model, _ = load(checkpoint, settings)
        measures = arguments.measures or operating.MEASURES
        print(findings.curves(model, checkpoint, arguments.data, figures_folder, arguments.items, measures, arguments.visqol_items))
    if "compare" in chosen:
        models = {name: load(path, settings)[0] for name, path in (pair.split("=", 1) for pair in arguments.models)}
        measures = arguments.measures or ("si_sdr", "mel")
        print(findings.compare(models, arguments.data, figures_folder, arguments.items, measures))
    if "export" in chosen:
        model, _ = load(checkpoint, settings, arguments.weight_bits)
        figures = json.loads(results.read_text())
        index = json.loads((pathlib.Path(arguments.data) / "index.json").read_text())
        export.write(model, arguments.output, report.details(figures, index, model))
        export.write_reference(model, CLIP, REFERENCE)
        export.write_importance(model, arguments.data, IMPORTANCE)
        pathlib.Path(arguments.output).with_suffix(".md").write_text(report.card(figures, index, model))


if __name__ == "__main__":
    main()
