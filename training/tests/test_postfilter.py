"""The postfilter hears no later frame, leaves the bins above its own, works alike at every loudness and learns to take noise away beside a tone."""

import torch

from vrvq_training.model import compand
from vrvq_training.postfilter import Postfilter

CONFIG = {
    "width": 8, "postfilter_channels": 4, "postfilter_bins": 40, "postfilter_past": 3, "postfilter_taps": 2, "postfilter_layers": 1,
}


def filtered(made, spectrum, hidden):
    return made(compand(spectrum, 0.7), spectrum, hidden)


def any_filter():
    torch.manual_seed(2)
    made = Postfilter(CONFIG)
    torch.nn.init.normal_(made.last.weight, std=0.1)
    return made.requires_grad_(False)


def test_frames_depend_on_the_past_that_is_kept():
    made, spectrum, hidden = any_filter(), torch.randn(2, 12, 64), torch.randn(2, 12, 8)
    changed = spectrum.clone()
    changed[:, 5] += 1
    moved = (filtered(made, changed, hidden) - filtered(made, spectrum, hidden)).abs().amax((0, 2)) > 0
    assert moved.nonzero().flatten().tolist() == [5, 6, 7, 8]
    assert torch.equal(filtered(made, spectrum, hidden)[..., 40:], spectrum[..., 40:])


def test_loudness_changes_nothing_else():
    made, spectrum, hidden = any_filter(), torch.randn(1, 6, 64), torch.randn(1, 6, 8)
    torch.testing.assert_close(filtered(made, 100 * spectrum, hidden), 100 * filtered(made, spectrum, hidden), rtol=1e-4, atol=1e-3)
    silence = torch.zeros_like(spectrum)
    assert torch.equal(filtered(made, silence, hidden), silence)


def test_it_learns_to_take_noise_away_beside_a_tone():
    torch.manual_seed(1)
    made = Postfilter(CONFIG)
    optimizer = torch.optim.Adam(made.parameters(), 1e-2)
    hidden = torch.zeros(8, 16, 8)

    def draw():
        clean = torch.zeros(8, 16, 64)
        clean[torch.arange(8), :, torch.randint(2, 38, (8,))] = 3 * torch.randn(8, 1)
        return clean, clean + 0.3 * torch.randn_like(clean)

    def error(clean, noisy):
        return (filtered(made, noisy, hidden) - clean)[..., :40].square().mean()

    for _ in range(60):
        optimizer.zero_grad()
        error(*draw()).backward()
        optimizer.step()
    clean, noisy = draw()
    with torch.no_grad():
        assert error(clean, noisy) < 0.5 * (noisy - clean)[..., :40].square().mean()
