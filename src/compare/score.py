"""Scores pairs of WAV files by the packages that are there. One JSON object a line in, one a line out: first which
measures there are, then for each pair its scores."""
import json
import sys
import warnings

warnings.simplefilter("ignore")
measures = {}


def samples(path):
    import wave

    import numpy

    with wave.open(path) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), "<i2").astype("float64") / 32768


def offer(name, make):
    try:
        measures[name] = make()
    except Exception:
        pass


def make_pesq():
    from pesq import pesq

    return lambda pair: float(pesq(16000, samples(pair["original_16k"]), samples(pair["decoded_16k"]), "wb"))


def make_estoi():
    from pystoi import stoi

    score = lambda pair: stoi(samples(pair["original_16k"]), samples(pair["decoded_16k"]), 16000, extended=True)
    return lambda pair: float(score(pair))


def make_visqol():
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="audio")
    return lambda pair: float(api.measure(pair["original_48k"], pair["decoded_48k"]).moslqo)


offer("pesq", make_pesq)
offer("estoi", make_estoi)
offer("visqol", make_visqol)
print(json.dumps(sorted(measures)), flush=True)
for line in sys.stdin:
    pair, scores = json.loads(line), {}
    for name, measure in measures.items():
        try:
            scores[name] = measure(pair)
        except Exception:
            # PESQ, for one, finds no speech in some music.
            scores[name] = None
    print(json.dumps(scores), flush=True)
