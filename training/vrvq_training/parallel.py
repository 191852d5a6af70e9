"""One process or several: PyTorch's DistributedDataParallel, started by ``torchrun``.

``torchrun --nproc-per-node 2 -m -- vrvq_training train ...`` uses two GPUs where there are as many, else two processes on
the CPU (gloo). Without torchrun everything here does nothing.
"""

import gc
import os

import torch
import torch.distributed as dist

# Its functions keep the group that is there when it is imported, for good, and DistributedDataParallel imports it.
import torch.distributed.nn  # noqa: F401


def start(device=None):
    """Joins the other processes, where torchrun started some; returns this process's device.

    ``device`` is ``"cpu"``, ``"cuda"`` or ``None`` for the GPU if there is one.
    """
    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if "RANK" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if kind == "cuda" else "gloo")
    if kind != "cuda":
        return torch.device("cpu")
    chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    torch.cuda.set_device(chosen)
    return chosen


def stop():
    """Leaves the other processes, when all are here; nothing :func:`wrap` made may be in use any more.

    Gloo's threads end with the group's last reference. Where they outlive the interpreter, they abort the process now
    and then, after the work is done.
    """
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()
        gc.collect()


def rank():
    return dist.get_rank() if dist.is_initialized() else 0


def size():
    return dist.get_world_size() if dist.is_initialized() else 1


def wrap(module, device):
    """``module`` for training: its gradients are means over the processes. Running means see to themselves."""
    if not dist.is_initialized():
        return module
    # Parameters can stay out of a step: the importance subnet's, where a batch happens to be all full.
    return torch.nn.parallel.DistributedDataParallel(
        module, [device.index] if device.type == "cuda" else None, broadcast_buffers=False, find_unused_parameters=True
    )


def total(tensor):
    """Sum of a tensor over the processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(tensor)
    return tensor


def from_first(tensor):
    """The first process's values, in place."""
    if dist.is_initialized():
        dist.broadcast(tensor, 0)
    return tensor


def mean(figures):
    """Mean of each figure of a dictionary, a tensor without dimensions, over the processes."""
    if not dist.is_initialized():
        return figures
    values = torch.stack([value.double() for value in figures.values()])
    return dict(zip(figures, total(values) / size()))


def gather(value):
    """``value`` of every process, by rank."""
    if not dist.is_initialized():
        return [value]
    values = [None] * size()
    dist.all_gather_object(values, value)
    return values
