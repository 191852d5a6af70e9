"""The model card: what goes into the model file and what people read beside it."""

from .evaluate import markdown
from .export import parameters

NAME = "VRVQ live 3.3"
LICENCE = "CC-BY-SA-4.0"
REASON = (
    "The strictest terms among the training audio that name derived works are GPL and CC-BY-SA; no audio is in the "
    "weights, but the weights are given under CC-BY-SA 4.0, which keeps to the spirit of both."
)

HISTORY = (
    "9900 steps on two processor cores, 3900 of them with AdamW under settings that were still changing, then 6000 with "
    "Muon and AdamW at the settings of `training/configs/live.toml`, started from the averaged weights of the first "
    "(`--start`): VRVQ live 1. From there decoder and importance subnet alone, on one core, 1361 steps at other weights of the loss "
    "(`pesq` 0.3 of all kinds, `mel` 0.6) and 2300 steps of `training/configs/live-polish.toml`: VRVQ live 2. Then an importance "
    "subnet that is told the gain, anew and alone, 700 steps of `training/configs/live-map.toml`, and the decoder alone, 2400 steps of "
    "`training/configs/live-decoder.toml`. Encoder and codebooks are those of live 1: VRVQ live 3. "
    "Live 3.1 is live 3 with the network's matrices rounded to eight bits (`export --weight-bits 8`). Live 3.2 is live 3.1 and a "
    "postfilter, anew and alone, 3000 steps of `training/configs/live-postfilter.toml`, and live 3.3 is that with decoder and "
    "postfilter trained on together, 5000 steps of `training/configs/live-output.toml`; the codes are the same. `python -m "
    "vrvq_training all` trains a similar model to live 1 from nothing, not this one to the bit."
)

PRECISION = {16: "in half precision", 8: "in half precision, but for the network's matrices, which are of eight bits"}


def details(figures, index, model):
    """Fields that complete the card inside the model file."""
    rounded = lambda table: {kind: {name: {k: round(v, 3) for k, v in row.items()} for name, row in points.items()}
                             for kind, points in table.items()}
    return {
        "name": NAME,
        "description": "Small causal model, 44.1 kHz, 8 codebooks of 1024, variable bitrate by importance map.",
        "architecture": "Companded MDCT, PCA and residual k-means as the linear path; "
        f"{model.config['encoder_blocks']} + {model.config['decoder_blocks']} causal ConvNeXt-like blocks of "
        f"{model.config['width']} on top; a postfilter over time and frequency; see training/vrvq_training/model.py.",
        "licence": LICENCE,
        "training": {"command": "python -m vrvq_training all", "history": HISTORY},
        "data": [{"package": name, "minutes": entry["minutes"], "licence": entry["licence"]}
                 for name, entry in index["packages"].items()],
        "figures": {"points": rounded(figures["points"]), "check": rounded(figures["check"]), "silence": figures["silence"], "codebook_use": figures["codebook_use"]},
    }


def card(figures, index, model):
    """``live.md``: the card for people."""
    packages = "\n".join(f"| {name} | {entry['minutes']} | {entry['licence']} |"
                         for name, entry in index["packages"].items())
    use = ", ".join(f"{share:.0%}" for share in figures["codebook_use"])
    silence = ", ".join(f"{name} {share:.1%}" for name, share in figures["silence"].items())
    return f"""# {NAME}

The model inside the app: causal, 44.1 kHz, hop 512 (86.13 frames/s), 8 codebooks of 1024, importance map trained by
the method of "Variable Bitrate Residual Vector Quantization for Audio Coding" (Chae et al., ICASSP 2025): hard mask
forward, smooth surrogate with alpha 2.0 backward, random level from 1 to 48.

- Architecture: a linear codec (companded MDCT, PCA to 96 dimensions with the log gain as a 97th, residual k-means) with
  {model.config['encoder_blocks']} + {model.config['decoder_blocks']} causal ConvNeXt-like blocks of {model.config['width']}
  channels on top, whose output started at zero, and a postfilter over time and frequency. The codes are searched with a beam of {model.config['beam']} partial sums, for each count its own. {parameters(model) / 1e6:.1f} million weights, {PRECISION[model.config.get("weight_bits", 16)]}.
- Delay: one hop to fill and one of overlap, 1024 samples (23.2 ms).
- Training: {HISTORY}
- Licence of the weights: {LICENCE}. {REASON}

## Figures on held-out audio

Packages and languages that are not in the training set; n: constant count (CBR), l: level (VBR); kb/s with the 3 bits
of the count in both. Log-mel is the paper's seven-scale distance. Made by `python -m vrvq_training evaluate`.
The recipe (companding, loss terms, beam) was chosen by looking at items of this set, and the envelope and PESQ terms train
what ESTOI and PESQ measure: these figures are optimistic by an unknown amount. Those of the second table are less so: of it only the
speech was looked at, when it was chosen to have a postfilter.

{markdown(figures['points'])}

The same on audio that training never saw and no setting was chosen by (`check` below):

{markdown(figures['check'])}

Digital silence at level 48, share of frames at one codebook: {silence}. Entries used by the held-out set, codebook by
codebook: {use}.

## Training audio

Debian packages, by package, kind and split (`test` and `check` are held out), in minutes. Checksums of the archives are in the
`index.json` that `python -m vrvq_training prepare` writes.

| package | minutes | licence |
|---|---|---|
{packages}
"""
