"""The training loop: resumes exactly, logs to CSV, averages the weights."""

import csv
import math
import pathlib
import time
import tomllib

import torch
from pytorch_optimizer import Muon

from . import losses, restore
from .data import Segments
from .init import initialise
from .model import LiveModel
from .quantizer import importance_mask


def load_config(path):
    """A configuration file as nested dictionaries."""
    return tomllib.loads(pathlib.Path(path).read_text())


class Trainer:
    """Model, optimizer and everything random of one run; ``state`` and ``restore`` hold all of it."""

    def __init__(self, config, data_folder):
        self.config, self.data_folder = config, data_folder
        train = config["train"]
        torch.manual_seed(train["seed"])
        self.model = LiveModel(config["model"])
        self.average = LiveModel(config["model"])
        self.density = losses.erb_density(config["model"]["hop"], config["model"]["sample_rate"])
        self.optimizer = self._optimizer(train)
        self.segments = Segments(data_folder, train["segment_frames"] * config["model"]["hop"], train["seed"])
        self.step_number = 0
        self.beta = config["rate"]["beta"]

    def _optimizer(self, train):
        """Muon for the weights of the network's layers, AdamW for all else. What starts as a working codec moves slowly."""
        groups = {}
        for name, parameter in self.model.named_parameters():
            slow = name.startswith(("analysis", "synthesis", "encoder"))
            matrix = parameter.ndim == 2 and "depthwise" not in name and name.startswith(("encoder", "decoder"))
            groups.setdefault((slow, matrix), []).append(parameter)
        return Muon(
            [
                {
                    "params": parameters, "scale": train["slow_share"] if slow else 1.0, "use_muon": matrix, "lr": 0.0,
                    **({"use_adjusted_lr": True} if matrix else {"betas": tuple(train["betas"]), "eps": 1e-8}),
                }
                for (slow, matrix), parameters in groups.items()
            ]
        )

    def initialise(self):
        """Starts as the linear codec."""
        initialise(self.model, self.data_folder, self.config["init"], self.config["train"]["seed"])
        self.average.load_state_dict(self.model.state_dict())

    def warm_start(self, path):
        """Starts from the weights and codebooks of a model file or of another run's checkpoint."""
        if pathlib.Path(path).suffix == restore.SUFFIX:
            weights = restore.read(path, self.config["model"])[0].state_dict()
        else:
            state = torch.load(path, weights_only=False, map_location="cpu")
            weights, self.beta = state["average"], state["beta"]
        self.model.load_state_dict(weights)
        self.average.load_state_dict(weights)

    def state(self):
        return {
            "config": self.config,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step_number,
            "beta": self.beta,
            "torch_random": torch.get_rng_state(),
            "data_random": self.segments.rng.bit_generator.state,
        }

    def restore(self, state):
        """Goes on where ``state`` was taken: the next steps are the same to the bit."""
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step_number, self.beta = state["step"], state["beta"]
        torch.set_rng_state(state["torch_random"])
        self.segments.rng.bit_generator.state = state["data_random"]

    def _learning_rate(self):
        train = self.config["train"]
        progress = min(1.0, self.step_number / train["steps"])
        cosine = train["final_rate"] + (1 - train["final_rate"]) * 0.5 * (1 + math.cos(math.pi * progress))
        return train["learning_rate"] * cosine * min(1.0, (self.step_number + 1) / train["warmup_steps"])

    def _levels(self, batch):
        rate = self.config["rate"]
        low, high, draw = rate["level_min"], rate["level_max"], torch.rand(batch, 1)
        if rate["level_sampling"] == "log-uniform":
            return low * (high / low) ** draw
        return low + (high - low) * draw

    def step(self):
        """One update; returns the figures that are logged."""
        config, model = self.config, self.model
        rate, weight = config["rate"], config["loss"]
        audio = torch.from_numpy(self.segments.batch(config["train"]["batch"]))
        batch, hop = audio.shape[0], model.hop
        with torch.no_grad():
            spectrum = model.spectrum(audio)
            silent = (spectrum.square().sum(-1) < 1e-10).float()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            latent, importance = model.encode_spectrum(spectrum)
        codebooks = config["model"]["codebooks"]
        mask = importance_mask(importance, self._levels(batch), codebooks, rate["alpha"], rate["estimator"])
        full = (torch.randperm(batch) < max(1, round(batch * rate["full_share"]))).float()[:, None]
        mask = torch.where(full.unsqueeze(-1) > 0, torch.ones_like(mask), mask)
        train = config["train"]
        beam = train["beam"] if self.step_number >= train["beam_from"] * train["steps"] else 1
        quantized, _, commitment = model.quantizer(latent, mask, beam)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            decoded = model.decode_spectrum(quantized)
        decoded = decoded.float()
        noise = losses.masked_noise(spectrum, decoded, weight["noise_exponent"], self.density)
        noise = (noise * losses.loudness_weight(spectrum, weight["noise_loudness"])).mean()
        error = losses.masked_noise(spectrum, decoded, 0.0, torch.ones(hop))
        error = (error * losses.loudness_weight(spectrum, weight["error_loudness"])).mean()
        scales = [losses.MEL_SCALES[i] for i in torch.randperm(len(losses.MEL_SCALES))[:2]]
        heard = model.waveform(decoded)[:, hop:]
        mel = losses.mel_distance(audio[:, :-hop], heard, scales).mean()
        mismatch = losses.envelope_mismatch(audio[:, :-hop], heard)
        sounding = (1 - full) * (1 - silent)
        mean_importance = (importance * sounding).sum() / sounding.sum().clamp(min=1)
        # In digital silence nothing opposes the rate loss, but the sigmoid's slope fades: pull on the logit.
        logit = torch.logit(importance.clamp(1e-6, 1 - 1e-6))
        pull = (torch.relu(logit + 6) * silent).sum() / silent.sum().clamp(min=1)
        loss = (
            weight["noise"] * noise
            + weight["error"] * error
            + weight["mel"] * mel
            + weight["envelope"] * mismatch
            + weight["commitment"] * commitment
            + self.beta * mean_importance
            + rate["silence_weight"] * pull
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate() * group["scale"]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config["train"]["clip"])
        if torch.isfinite(norm):
            self.optimizer.step()
        target = rate["importance_target"]
        drift = (float(mean_importance) - target) / target
        self.beta = min(5.0, max(0.01, self.beta * math.exp(0.01 * max(-1.0, min(1.0, drift)))))
        self.step_number += 1
        self._update_average()
        return {
            "loss": float(loss), "noise": float(noise), "error": float(error), "mel": float(mel), "envelope": float(mismatch),
            "commitment": float(commitment), "importance": float(mean_importance), "beta": self.beta,
            "silent_importance": float((importance * silent).sum() / silent.sum().clamp(min=1)), "norm": float(norm),
        }

    @torch.no_grad()
    def _update_average(self):
        # Early on the average must not remember the start.
        decay = min(self.config["train"]["average"], (1 + self.step_number) / (20 + self.step_number))
        for mean, value in zip(self.average.parameters(), self.model.parameters()):
            mean.lerp_(value, 1 - decay)
        self.average.quantizer.codebooks.lerp_(self.model.quantizer.codebooks, 1 - decay)


def run(config_path, data_folder, run_folder, minutes=None, start=None):
    """Trains to the configured number of steps, or for ``minutes``; resumes from the folder's checkpoint.

    A new run starts from ``start``, a model file or a checkpoint, or as the linear codec.
    """
    run_folder = pathlib.Path(run_folder)
    run_folder.mkdir(parents=True, exist_ok=True)
    config, checkpoint = load_config(config_path), run_folder / "checkpoint.pt"
    trainer = Trainer(config, data_folder)
    if checkpoint.exists():
        trainer.restore(torch.load(checkpoint, weights_only=False))
        print(f"resumed at step {trainer.step_number}", flush=True)
    else:
        if start:
            trainer.warm_start(start)
        else:
            trainer.initialise()
        save(trainer, run_folder / "start.pt")
    started = saved = time.time()
    first = trainer.step_number
    sums, logged = {}, 0
    with open(run_folder / "log.csv", "a", newline="") as file:
        log = csv.writer(file)
        while trainer.step_number < config["train"]["steps"]:
            for key, value in trainer.step().items():
                sums[key] = sums.get(key, 0.0) + value
            logged += 1
            if logged == 50:
                means = {key: value / logged for key, value in sums.items()}
                elapsed = time.time() - started
                left = (config["train"]["steps"] - trainer.step_number) * elapsed / (trainer.step_number - first)
                if file.tell() == 0:
                    log.writerow(["step", "seconds", *means])
                log.writerow([trainer.step_number, round(elapsed, 1), *(round(v, 5) for v in means.values())])
                file.flush()
                text = " ".join(f"{key} {value:.4f}" for key, value in means.items())
                print(f"step {trainer.step_number} left {left / 60:.0f} min {text}", flush=True)
                sums, logged = {}, 0
            if time.time() - saved > config["train"]["checkpoint_minutes"] * 60:
                save(trainer, checkpoint)
                saved = time.time()
            if minutes and time.time() - started > minutes * 60:
                break
    save(trainer, checkpoint)


def save(trainer, path):
    """Writes a checkpoint so that a kill at any moment leaves a whole one."""
    temporary = path.with_suffix(".tmp")
    torch.save(trainer.state(), temporary)
    temporary.replace(path)
