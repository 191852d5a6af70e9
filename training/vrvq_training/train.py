"""One training step, and all that must be kept for the next one to be the same to the bit."""

import pathlib

import torch

from . import architectures, optimizers, parallel, restore, terms
from .capture import Captured, capturable
from .coded import Coded
from .dac.discriminator import Discriminators, discriminator_loss, generator_losses
from .init import initialise
from .rate import Controller, Draw, rate_terms
from .segments import open_segments


def freeze(model, names):
    """Holds the parameters whose names start with one of ``names``; ``"quantizer"`` holds the codebooks."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(names)))
    if "quantizer" in names:
        model.quantizer.held = True


class Trainer:
    """Model, discriminators, optimizers and everything random of one run; ``state`` and ``restore`` hold all of it.

    With several processes each has one, of another seed for its data; gradients, running means and the rate's weight are
    the same in all.
    """

    def __init__(self, config, data_folder, device="cpu"):
        self.config, self.data_folder, self.device = config, data_folder, torch.device(device)
        train = config["train"]
        if self.device.type == "cuda":
            # What is captured (capture.py) must not touch the default stream.
            torch.cuda.set_stream(torch.cuda.Stream(self.device))
        torch.manual_seed(train["seed"])
        self.model = architectures.build(config["model"]).to(self.device)
        self.average = architectures.build(config["model"]).to(self.device)
        self.average.load_state_dict(self.model.state_dict())
        freeze(self.model, train.get("frozen", ()))
        if "codebook_decay" in train:
            self.model.quantizer.decay = train["codebook_decay"]
        self.optimizer = optimizers.for_model(self.model, train)
        self.discriminators = self.discriminator_optimizer = None
        if config["loss"].get("adversarial"):
            self.discriminators = Discriminators(config["adversarial"]).to(self.device)
            self.discriminator_optimizer = optimizers.for_model(self.discriminators, train | {"optimizer": "adamw"})
            self._discriminate = parallel.wrap(self.discriminators, self.device)
        self._forward = parallel.wrap(self.model, self.device)
        torch.manual_seed(train["seed"] + parallel.rank())
        length = train["segment_frames"] * self.model.hop
        self.segments = open_segments(
            data_folder, length, train["seed"] + 1000 * parallel.rank(), config["model"]["sample_rate"], self.device,
            train.get("speeds", (1.0,)),
        )
        self.coded = None
        if train.get("coded"):
            if not isinstance(self.model, architectures.LiveModel):
                raise ValueError("`coded` gives codes to the architecture `live` only")
            self.coded = Coded(data_folder, train["segment_frames"], self.model.hop, self.segments.rng)
        speech = [i for i in range(train["batch"]) if self.segments.kind(i) == "speech"]
        self.speech = torch.tensor(speech, dtype=torch.long, device=self.device)
        self.step_number = 0
        self.controller = Controller(config["rate"], self.device)
        self.captured = Captured(self._gradients, self.model) if capturable(config, self.device) else None

    def initialise(self):
        """Starts as the linear codec, where the architecture has one."""
        if "init" in self.config:
            initialise(self.model, self.data_folder, self.config["init"], self.config["train"]["seed"])
            self.average.load_state_dict(self.model.state_dict())

    def warm_start(self, path):
        """Starts from the weights and codebooks of a model file or of another run's checkpoint; what ``fresh`` names
        starts anew, and blocks that the start doesn't have add nothing at first."""
        if pathlib.Path(path).suffix == restore.SUFFIX:
            weights = restore.read(path, self.config["model"])[0].state_dict()
        else:
            state = torch.load(path, weights_only=False, map_location="cpu")
            weights = state["average"]
            self.controller.beta.fill_(state["beta"])
        fresh = tuple(self.config["train"].get("fresh", ()))
        weights = {name: value for name, value in weights.items() if not name.startswith(fresh)}
        state = self.model.state_dict()
        residual = lambda name: ".narrow." in name and ("_blocks." in name or "postfilter.layers." in name)
        grown = {name for name in state.keys() - weights.keys() if residual(name)}
        state |= weights | {name: torch.zeros_like(state[name]) for name in grown}
        for model in (self.model, self.average):
            model.load_state_dict(state)

    def _parts(self):
        """What has a ``state_dict``, by its name in a checkpoint."""
        parts = {"model": self.model, "average": self.average, "optimizer": self.optimizer}
        if self.discriminators:
            parts |= {"discriminators": self.discriminators, "discriminator_optimizer": self.discriminator_optimizer}
        return parts

    def state(self):
        """All of it; called in every process, since each has random numbers of its own."""
        random = {"torch": torch.get_rng_state(), "data": self.segments.rng.bit_generator.state}
        if self.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.device)
        return {
            "config": self.config,
            "step": self.step_number,
            "beta": float(self.controller.beta),
            "random": parallel.gather(random),
        } | {name: part.state_dict() for name, part in self._parts().items()}

    def restore(self, state):
        """Goes on where ``state`` was taken: the next steps are the same to the bit, with as many processes."""
        if len(state["random"]) != parallel.size():
            raise ValueError(f"the checkpoint is of {len(state['random'])} processes, here are {parallel.size()}")
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.step_number = state["step"]
        self.controller.beta.fill_(state["beta"])
        random = state["random"][parallel.rank()]
        torch.set_rng_state(random["torch"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(random["cuda"], self.device)
        self.segments.rng.bit_generator.state = random["data"]

    def leave(self):
        """Leaves the other processes; the trainer is this one's alone from here."""
        self._forward, self._discriminate = self.model, self.discriminators
        parallel.stop()

    def _beam(self):
        train = self.config["train"]
        return train["beam"] if self.step_number >= train["beam_from"] * train["steps"] else 1

    def _autocast(self):
        wanted = self.config["train"]["precision"]
        return torch.autocast(self.device.type, torch.bfloat16, enabled=wanted == "bf16")

    def step(self):
        """One update; returns the figures that are logged, means over the processes, as tensors: on a GPU they are
        there when the step is done, which nothing here waits for."""
        config, train = self.config, self.config["train"]
        self.model.train()
        audio = torch.as_tensor(self.segments.batch(train["batch"]), device=self.device)
        draw = Draw(config["rate"], train["batch"], config["model"]["codebooks"]).to(self.device)
        if self.coded:
            ahead, codes = self.coded.batch(train["coded"])
            audio[: len(ahead)] = torch.from_numpy(ahead).to(self.device)
            draw.codes = torch.from_numpy(codes)
        rate = optimizers.learning_rate(train, self.step_number)
        if self.discriminators:
            optimizers.set_rate(self.discriminator_optimizer, rate)
        optimizers.set_rate(self.optimizer, rate)
        gradients = self.captured or self._gradients
        figures = gradients(audio, draw, self._beam())
        self.optimizer.step()
        if not self.captured:
            self.optimizer.zero_grad(set_to_none=True)
        figures = parallel.mean(figures)
        if "importance" in figures:
            self.controller.follow(figures["importance"])
        self.step_number += 1
        self._update_average()
        return figures | {"beta": self.controller.beta.clone(), "rate": rate}

    def _gradients(self, audio, draw, beam):
        """Leaves the gradients of one batch in the model's parameters (and moves discriminators and codebooks)."""
        config, weights = self.config, self.config["loss"]
        with self._autocast():
            out = self._forward(audio, draw, beam)
        out["speech"] = self.speech
        _drop_lead(out, config["train"].get("lead_frames", 0), self.model.hop)
        figures = self._discriminator_step(out) if self.discriminators else {}
        loss, values = terms.weighted(out, weights, config["model"]["sample_rate"])
        figures |= values
        if self.discriminators:
            with self._autocast():
                # The plain module: its gradients aren't wanted here, so DDP must not wait for them.
                adversarial, matching = generator_losses(self.discriminators(out["target"]), self.discriminators(out["audio"]))
            loss = loss + weights["adversarial"] * adversarial + weights["feature_matching"] * matching
            figures |= {"adversarial": adversarial.detach(), "feature_matching": matching.detach()}
        if out["importance"] is not None and config["rate"]["mode"] == "vbr":
            mean, pull = rate_terms(out["importance"], out["silent"], draw)
            loss = loss + self.controller.beta.float() * mean + config["rate"]["silence_weight"] * pull
            figures["importance"] = mean.detach()
        norm = _descend(self.model, loss, config["train"]["clip"])
        return figures | {"loss": loss.detach(), "norm": norm}

    def _discriminator_step(self, out):
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            # Real and decoded in one pass, since DDP wants one forward for each backward.
            maps = self._discriminate(torch.cat([out["target"], out["audio"].detach()]))
            real, fake = ([[x.chunk(2)[i] for x in part] for part in maps] for i in (0, 1))
            loss = discriminator_loss(real, fake)
        _descend(self.discriminators, loss, self.config["adversarial"]["clip"])
        self.discriminator_optimizer.step()
        # The generator's loss goes through the discriminators too.
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        return {"discriminator": loss.detach()}

    @torch.no_grad()
    def _update_average(self):
        # Early on the average must not remember the start.
        decay = min(self.config["train"]["average"], (1 + self.step_number) / (20 + self.step_number))
        means, values = ([*model.parameters(), *model.buffers()] for model in (self.average, self.model))
        torch._foreach_lerp_(means, values, 1 - decay)


def _drop_lead(out, frames, hop):
    """Takes the first ``frames``, in which the decoder's past still fills up, from what the losses look at."""
    out |= {name: out[name][:, frames * hop :] for name in ("target", "audio")}
    if "spectra" in out:
        out["spectra"] = tuple(part[:, frames:] for part in out["spectra"])


def _descend(module, loss, clip):
    """Leaves the gradient of ``loss`` in ``module``, clipped; nothing of it where it isn't finite. Returns its norm."""
    loss.backward()
    parameters = [parameter for parameter in module.parameters() if parameter.grad is not None]
    norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
    for parameter in parameters:
        torch.nan_to_num_(parameter.grad, 0.0, 0.0, 0.0)
    return norm.detach()
