//! Streams of one model share what runs it: batches of them give what each gives alone, and weights are there once.

mod common;

use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use vrvq::model::{DecoderStream, Encoded, EncoderStream, Model};

const HOPS: usize = 60;

/// The tests count what the streams of this process do.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Codes and samples of one stream, and whether any call of such streams ran in a batch.
fn run(model: &std::sync::Arc<Model>, audio: &[f32], shared: bool, start: &Barrier) -> (Vec<u16>, Vec<f32>, bool) {
    let (hop, codebooks) = (model.card().hop, model.card().codebooks);
    let (mut encoder, mut decoder) = (EncoderStream::new(model, 1).unwrap(), DecoderStream::new(model, 1).unwrap());
    encoder.share(shared);
    decoder.share(shared);
    let before = encoder.batched() + decoder.batched();
    let (mut codes, mut decoded, mut encoded) = (Vec::new(), Vec::new(), Encoded::default());
    start.wait();
    for hop_of_audio in audio.chunks_exact(hop) {
        encoder.step(hop_of_audio, 1, &mut encoded).unwrap();
        let mut samples = vec![0.0; hop];
        decoder.step(&encoded.codes.all(), &[codebooks as u8], 1, &mut samples).unwrap();
        codes.extend(encoded.codes.all());
        decoded.extend_from_slice(&samples);
    }
    (codes, decoded, encoder.batched() + decoder.batched() > before)
}

/// More streams than run at once.
fn streams() -> usize {
    4 + std::thread::available_parallelism().unwrap().get()
}

/// Streams at once, each of its own part of the clip.
fn run_all(shared: bool) -> Vec<(Vec<u16>, Vec<f32>, bool)> {
    let model = Model::builtin().unwrap();
    let clip = common::demo_mono();
    let length = HOPS * model.card().hop;
    let start = Barrier::new(streams());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..streams())
            .map(|index| {
                let (audio, model, start) = (&clip[index % 20 * length..][..length], &model, &start);
                scope.spawn(move || run(model, audio, shared, start))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_batch_of_streams_gives_what_each_gives_alone() {
    let _one = one_at_a_time();
    let (together, alone) = (run_all(true), run_all(false));
    assert!(together.iter().any(|(.., batched)| *batched), "more streams than run at once never queued");
    assert!(alone.iter().all(|(.., batched)| !batched), "streams that don't share ran in a batch");
    for (index, (together, alone)) in together.iter().zip(&alone).enumerate() {
        assert!(alone.1.iter().any(|sample| sample.abs() > 0.01), "stream {index} is silent");
        // Ties are decided by rounding, which is another in a batch.
        let differing = together.0.iter().zip(&alone.0).filter(|(a, b)| a != b).count();
        assert!(differing * 500 <= alone.0.len(), "stream {index}: {differing} of {} codes differ", alone.0.len());
        if differing == 0 {
            let error = common::largest_difference(&together.1, &alone.1);
            assert!(error < 1e-4, "stream {index} is off by {error}");
        }
    }
}

#[test]
fn streams_that_run_alone_repeat_to_the_bit_beside_others() {
    let _one = one_at_a_time();
    let (first, second) = (run_all(false), run_all(false));
    assert!(first == second);
}

/// Memory of this process in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn further_streams_take_no_further_weights() {
    let _one = one_at_a_time();
    let model = Model::builtin().unwrap();
    let silence = vec![0.0; model.card().hop];
    let stream = || {
        let (mut encoder, mut decoder) =
            (EncoderStream::new(&model, 1).unwrap(), DecoderStream::new(&model, 1).unwrap());
        let mut encoded = Encoded::default();
        encoder.step(&silence, 1, &mut encoded).unwrap();
        decoder.step(&encoded.codes.all(), &[8], 1, &mut silence.clone()).unwrap();
        (encoder, decoder)
    };
    // As many as run at once have a session each.
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut streams: Vec<_> = (0..cores + 2).map(|_| stream()).collect();
    let before = resident();
    streams.extend((0..16).map(|_| stream()));
    let each = resident().saturating_sub(before) / 16;
    // The weights are 20 MiB, a state 60 KiB.
    assert!(each < 2 << 20, "each further stream takes {each} bytes");
}
