"""What the items of a batch may use, and the weight of the rate loss."""

import torch

from vrvq_training.rate import Controller, Draw, rate_terms

VBR = {
    "mode": "vbr", "control": "fixed", "beta": 2.0, "alpha": 2.0, "estimator": "smooth", "level_min": 1.0, "level_max": 48.0,
    "level_sampling": "uniform", "full_share": 0.25, "importance_target": 0.2,
}


def test_levels_are_uniform_or_log_uniform_and_a_quarter_is_full():
    torch.manual_seed(0)
    draw = Draw(VBR, 4000, 8)
    assert int((draw.counts == 8).sum()) == 1000 and int((draw.counts == 0).sum()) == 3000
    assert draw.levels.min() >= 1 and draw.levels.max() <= 48
    assert abs(float(draw.levels.median()) - 24.5) < 1.5
    assert abs(float(Draw(VBR | {"level_sampling": "log-uniform"}, 4000, 8).levels.median()) - 48**0.5) < 0.5


def test_constant_bitrate_drops_codebooks_for_some_items():
    torch.manual_seed(0)
    draw = Draw({"mode": "cbr", "dropout": 0.5}, 2000, 8)
    mask = draw.mask(None, (2000, 3), "cpu")
    counts = mask.sum(-1)
    assert (counts == counts[:, :1]).all() and counts.min() == 1
    assert abs(float((counts[:, 0] == 8).float().mean()) - (0.5 + 0.5 / 8)) < 0.03


def test_beta_stays_or_moves_towards_the_target():
    fixed, steered = Controller(VBR), Controller(VBR | {"control": "target"})
    for _ in range(10):
        fixed.follow(torch.tensor(0.5))
        steered.follow(torch.tensor(0.5))
    assert fixed.beta == 2.0 and steered.beta > 2.0
    steered.follow(torch.tensor(0.01))
    assert steered.beta < Controller(VBR | {"beta": 2.3}).beta


def test_the_rate_counts_sound_of_items_by_importance_only():
    draw = Draw(VBR, 2, 8)
    draw.counts = torch.tensor([0, 8])
    importance = torch.tensor([[0.2, 0.4, 0.9], [0.7, 0.7, 0.7]], requires_grad=True)
    silent = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    mean, pull = rate_terms(importance, silent, draw)
    torch.testing.assert_close(mean, torch.tensor(0.3))
    (mean + pull).backward()
    assert importance.grad[0, 2] > 0 and (importance.grad[1] == 0).all()
