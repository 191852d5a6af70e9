"""Two processes on the CPU train one model: same weights in both, and an exact resume."""

import json
import os
import pathlib
import subprocess
import sys

WORKER = """
import hashlib, json, os, pathlib, sys, torch
torch.set_num_threads(1)
from vrvq_training import loop
config, data, run, steps = json.loads(pathlib.Path(sys.argv[1]).read_text()), *sys.argv[2:4], int(sys.argv[4])
config["train"]["steps"] = steps
trainer = loop.run(config, data, run, device="cpu")
digest = hashlib.sha256(b"".join(t.detach().numpy().tobytes() for t in trainer.model.state_dict().values())).hexdigest()
tasks = pathlib.Path("/proc/self/task")
threads = len(list(tasks.iterdir())) if tasks.exists() else 1
pathlib.Path(f"{run}-{os.environ['RANK']}.json").write_text(json.dumps([digest, trainer.step_number, threads]))
"""


def test_two_processes_share_one_model_and_resume_exactly(config, audio_folder, tmp_path):
    # With discriminators: two optimizers take turns, which is where processes would drift apart.
    config["train"] |= {"batch": 3, "schedule": "exponential", "decay": 1.0}
    config["init"]["frames"] = 1800
    config["loss"] |= {"adversarial": 1.0, "feature_matching": 2.0}
    config["adversarial"] = {
        "periods": [2], "period_channels": [4, 8], "windows": [256], "band_channels": 4, "bands": [[0.0, 1.0]], "clip": 10.0,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "worker.py").write_text(WORKER)

    def train(run, steps):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "worker.py"]
        environment = os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [*command, "config.json", str(audio_folder), run, str(steps)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
        )
        assert done.returncode == 0, done.stderr
        first, second = (json.loads((tmp_path / f"{run}-{rank}.json").read_text()) for rank in range(2))
        # One thread: what is left of the others when the interpreter ends can abort it.
        assert first == second and first[1:] == [steps, 1]
        return first[0]

    whole = train("whole", 4)
    half = train("parts", 2)
    assert half != whole
    assert train("parts", 4) == whole
