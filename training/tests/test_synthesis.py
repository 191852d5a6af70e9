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
    assert error(synthesis.choose(model, audio, counts, 8, rounds=1)) < 0.99 * error(chosen)


def test_slopes_are_those_of_the_decoder_where_its_network_stays(trainer):
    model = export.rounded(trainer.average)
    torch.manual_seed(1)
    latent = torch.randn(97)[: model.quantizer.codebooks.shape[-1]]
    latent[0], latent[1:] = 6 - model.gain_mean, latent[1:] / latent[1:].norm()
    # Untrained, the network adds nothing, and orthonormal rows keep the shape's norm.
    with torch.no_grad():
        model.synthesis.copy_(torch.linalg.qr(torch.randn(model.hop, len(latent) - 1))[0].T)
        model.decoder_out.weight.zero_(), model.decoder_out.bias.zero_()
        decode = lambda latent: model.decode_spectrum(latent[None, None])[0, 0]
        exact = torch.autograd.functional.jacobian(decode, latent).T
        slopes = synthesis.slopes(model, decode(latent))
    slopes[1:] /= synthesis.KEPT
    # The gain's floor makes the size a little less than exponential.
    assert (slopes - exact).norm() < 1e-2 * exact.norm()
