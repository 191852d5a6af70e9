"""Training of the live VRVQ model: data, model, losses, training loop, evaluation and export."""

import os

# Before ONNX Runtime is imported: from 1.29 on it tells Microsoft what it runs, unless this forbids it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
