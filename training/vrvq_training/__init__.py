"""Training of the live VRVQ model: data, model, losses, training loop, evaluation and export."""
