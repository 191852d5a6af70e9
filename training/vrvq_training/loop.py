"""A long run: goes on from its checkpoint, says how long it takes, logs to CSV, and loses minutes at most when killed."""

import csv
import pathlib
import signal
import time

import torch

from . import parallel
from .train import Trainer

LOG_STEPS = 50


def run(config, data_folder, run_folder, minutes=None, start=None, device=None):
    """Trains to the configured number of steps, or for ``minutes``; resumes from the folder's checkpoint.

    A new run starts from ``start``, a model file or a checkpoint, or as the linear codec. Ctrl-C and SIGTERM end it after
    the step, with a checkpoint. Several processes (parallel.py) have parted when it returns.
    """
    run_folder = pathlib.Path(run_folder)
    run_folder.mkdir(parents=True, exist_ok=True)
    checkpoint, train = run_folder / "checkpoint.pt", config["train"]
    device = parallel.start(device)
    trainer = Trainer(config, data_folder, device)
    if checkpoint.exists():
        trainer.restore(torch.load(checkpoint, weights_only=False, map_location="cpu"))
        _say(f"resumed at step {trainer.step_number}")
    else:
        if start:
            trainer.warm_start(start)
        else:
            trainer.initialise()
        save(trainer, run_folder / "start.pt")
    stopping = _Stopping()
    started = saved = time.time()
    first, sums, logged = trainer.step_number, {}, 0
    with open(run_folder / "log.csv", "a", newline="") as file:
        log = csv.writer(file)
        while trainer.step_number < train["steps"]:
            for key, value in trainer.step().items():
                sums[key] = sums.get(key, 0.0) + value
            logged += 1
            if logged == LOG_STEPS or trainer.step_number == train["steps"]:
                means = {key: float(value) / logged for key, value in sums.items()}
                elapsed = time.time() - started
                if parallel.rank() == 0:
                    _report(file, log, trainer.step_number, elapsed, first, train["steps"], means)
                sums, logged = {}, 0
            # The first process decides for all, since their clocks and signals differ.
            late = minutes is not None and time.time() - started > minutes * 60
            due = time.time() - saved > train["checkpoint_minutes"] * 60
            stop, due = parallel.gather((stopping.asked or late, due))[0]
            if due or stop:
                save(trainer, checkpoint)
                saved = time.time()
            if stop:
                break
    save(trainer, checkpoint)
    trainer.leave()
    stopping.restore()
    return trainer


def save(trainer, path):
    """Writes a checkpoint so that a kill at any moment leaves a whole one."""
    state = trainer.state()
    if parallel.rank() == 0:
        temporary = path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(path)


def _report(file, log, step, elapsed, first, steps, means):
    if file.tell() == 0:
        log.writerow(["step", "seconds", *means])
    log.writerow([step, round(elapsed, 1), *(round(value, 6) for value in means.values())])
    file.flush()
    left = (steps - step) * elapsed / (step - first)
    figures = " ".join(f"{key} {value:.4g}" for key, value in means.items())
    _say(f"step {step} of {steps}, {_duration(left)} left: {figures}")


def _duration(seconds):
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _say(text):
    if parallel.rank() == 0:
        print(text, flush=True)


class _Stopping:
    """Turns signals into a wish to stop after the step."""

    def __init__(self):
        self.asked = False
        self.before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}

    def _ask(self, *_):
        self.asked = True

    def restore(self):
        for number, handler in self.before.items():
            signal.signal(number, handler)
