"""Mask, counts and gradient equal the method's."""

import torch

from vrvq_training.quantizer import ResidualQuantizer, count, for_counts, importance_mask, surrogate


def test_counts_on_edge_values():
    product = torch.tensor([0.0, 0.999, 1.0, 2.0, 6.999, 7.0, 8.0, 48.0])
    expected = [1, 1, 2, 3, 7, 8, 8, 8]
    assert count(product, 1.0, 8).tolist() == expected
    mask = importance_mask(product, 1.0, 8)
    assert mask.sum(-1).tolist() == expected
    assert ((mask == 0) | (mask == 1)).all()
    # Once unused, all later ones are.
    assert (mask.diff(dim=-1) <= 0).all()


def test_surrogate_is_a_smooth_step_that_does_not_overflow():
    x = torch.tensor([-1e4, -5.0, 0.0, 5.0, 1e4], dtype=torch.float64)
    for alpha in (1.0, 2.0, 4.0):
        y = surrogate(x, alpha)
        assert torch.isfinite(y).all()
        torch.testing.assert_close(y[[0, 2, 4]], torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))


def test_gradient_of_the_mask_is_the_surrogates_by_finite_differences():
    level, alpha, step = 12.0, 2.0, 1e-6
    p = torch.tensor([0.05, 0.21, 0.4, 0.63], dtype=torch.float64, requires_grad=True)
    weights = torch.randn(4, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (importance_mask(p, level, 8, alpha) * weights).sum().backward()

    def smooth(values):
        x = level * values.unsqueeze(-1) - torch.arange(8)
        return (surrogate(x, alpha) * weights)[:, 1:].sum(-1)

    numeric = (smooth(p.detach() + step) - smooth(p.detach() - step)) / (2 * step)
    torch.testing.assert_close(p.grad, numeric, rtol=1e-5, atol=1e-6)


def test_straight_through_is_an_identity_on_the_scaled_importance():
    p = torch.tensor([0.3], requires_grad=True)
    importance_mask(p, 10.0, 8, estimator="straight-through")[..., 3].sum().backward()
    assert p.grad.item() == 10.0


def test_more_codebooks_never_make_the_latent_worse_on_average():
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(4, 32, 6).eval()
    latent = torch.randn(2, 200, 6)
    codes = quantizer.encode(latent)
    errors = []
    for n in range(1, 5):
        mask = (torch.arange(4) < n).float().expand(2, 200, 4)
        errors.append((quantizer.decode(codes, mask) - latent).square().mean().item())
    assert errors == sorted(errors, reverse=True)


def test_a_wider_beam_comes_nearer_and_one_is_greedy():
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(4, 32, 6).eval()
    quantizer.codebooks *= 0.6 ** torch.arange(4.0)[:, None, None]
    latent = 0.2 * torch.randn(2, 200, 6)
    residual, greedy = latent, []
    for book in quantizer.codebooks:
        greedy.append(torch.cdist(residual, book).argmin(-1))
        residual = residual - book[greedy[-1]]
    assert torch.equal(quantizer.encode(latent), torch.stack(greedy, -1))
    everything = torch.ones(4)
    errors = [
        (quantizer.decode(quantizer.encode(latent, beam), everything) - latent).square().mean().item() for beam in (1, 4, 16)
    ]
    assert errors == sorted(errors, reverse=True) and errors[1] < 0.95 * errors[0]


def test_codes_for_a_count_are_the_best_that_the_beam_finds_for_it():
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(4, 32, 6).eval()
    latent = 0.2 * torch.randn(2, 200, 6)
    error = lambda codes, n: (quantizer.decode(codes, torch.arange(4) < n) - latent).square().sum(-1)
    table = quantizer.encode_all(latent, 8)
    assert table.shape == (2, 200, 4, 4)
    assert torch.equal(table[:, :, 3], quantizer.encode(latent, 8))
    for n in range(1, 5):
        counts = torch.full((2, 200), n)
        codes = for_counts(table, counts)
        assert not codes[..., n:].any()
        # As a search with n codebooks alone.
        fewer = ResidualQuantizer(n, 32, 6)
        fewer.codebooks.copy_(quantizer.codebooks[:n])
        assert torch.equal(codes[..., :n], fewer.encode(latent, 8))
        assert error(codes, n).mean() <= error(table[:, :, 3], n).mean()
        # The same where the others go on from there, as in training.
        on = quantizer.encode(latent, 8, counts)
        assert torch.equal(on[..., :n], codes[..., :n])
        assert error(on, 4).mean() <= error(codes, n).mean()
    assert error(table[:, :, 0], 1).mean() < 0.98 * error(table[:, :, 3], 1).mean()
    # Each frame by its own count.
    counts = torch.randint(1, 5, (2, 200))
    used = torch.arange(4) < counts.unsqueeze(-1)
    assert torch.equal(quantizer.encode(latent, 8, counts) * used, for_counts(table, counts))


def test_candidates_are_the_best_first():
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(4, 32, 6).eval()
    latent = 0.2 * torch.randn(2, 50, 6)
    table = quantizer.encode_all(latent, 8, 8)
    assert table.shape == (2, 50, 4, 8, 4)
    assert torch.equal(table[..., 0, :], quantizer.encode_all(latent, 8))
    for n in range(1, 5):
        sums = quantizer.decode(table[:, :, n - 1], (torch.arange(4) < n).float())
        errors = (sums - latent.unsqueeze(-2)).square().sum(-1)
        assert (errors.diff(dim=-1) > -1e-6).all()
