"""Codes chosen by what is decoded of them."""

import torch

from vrvq_training import evaluate, export, synthesis
from vrvq_training.quantizer import for_counts


def test_chosen_codes_decode_nearer_and_one_candidate_is_the_search(trainer, audio_folder):
    for _ in range(3):
        trainer.step()
    model = export.rounded(trainer.average)
    model.config["beam"] = 8
    audio = torch.from_numpy(evaluate.items(audio_folder, "speech", 2)[:, : 60 * model.hop])
    table, _ = model.analyse(audio)
    counts = torch.arange(60).expand(2, 60) % 8 + 1
    plain = for_counts(table, counts)
    assert torch.equal(synthesis.choose(model, audio, counts, 1), plain)
    chosen = synthesis.choose(model, audio, counts, 8)
    assert not torch.equal(chosen, plain)
    target = model.spectrum(audio)
    weight = synthesis.weights(target, model.config["sample_rate"])

    def error(codes):
        mask = (torch.arange(codes.shape[-1]) < counts.unsqueeze(-1)).float()
        with torch.no_grad():
            decoded = model.decode_spectrum(model.quantizer.decode(codes, mask))
        return ((decoded - target).square() * weight).sum()

    assert error(chosen) < 0.99 * error(plain)
    assert error(synthesis.choose(model, audio, counts, 8, refine=True)) < 0.99 * error(chosen)
