//! How exact and how costly the stream of a checkpoint is, against what PyTorch made of the whole file:
//!
//! ```sh
//! python training/make_checkpoints.py --full FOLDER
//! cargo run --example exactness -- FOLDER/vrvq-full.pth [DEVICE]
//! ```
//!
//! Prints the codes that differ, the largest difference of a sample, and the time of one hop at 1, 2 and 4 hops a call against
//! all hops in one call, in one run: on the processor that of one thread, on another DEVICE (as `--device`) by the clock. Runs on the runtime that the app finds; a figure of the
//! runtime's own, so that the development profile is enough.

use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use vrvq::model::checkpoint::{StateDict, model_file};
use vrvq::model::{DecoderStream, Encoded, EncoderStream, Model, choose_device};

/// Hops that each figure is taken over, at least.
const HOPS: usize = 160;

#[derive(Deserialize)]
struct Reference {
    audio: Vec<f32>,
    codes: Vec<Vec<u16>>,
    counts: Vec<u8>,
    decoded: Vec<f32>,
}

/// Codes and samples of the whole of the reference, `hops` hops a step.
fn stream(model: &Arc<Model>, reference: &Reference, hops: usize) -> (Vec<u16>, Vec<f32>) {
    let card = model.card();
    let (hop, codebooks, frames) = (card.hop, card.codebooks, reference.codes.len());
    let first = card.span.expect("an imported model").decoder_begin() as usize;
    let late = card.latency_samples.decoder as usize;
    let mut audio = vec![0.0; card.lead()];
    audio.extend_from_slice(&reference.audio);
    audio.resize((first + frames + late.div_ceil(hop)) * hop, 0.0);
    let mut encoder = EncoderStream::new(model, 1).expect("the encoder runs");
    let mut decoder = DecoderStream::new(model, 1).expect("the decoder runs");
    encoder.end_after(frames as u64);
    decoder.end_after(frames as u64);
    let (mut codes, mut decoded, mut encoded) = (Vec::new(), Vec::new(), Encoded::default());
    for (step, chunk) in audio.chunks(hops * hop).enumerate() {
        let here = chunk.len() / hop;
        encoder.step(chunk, here, &mut encoded).expect("a step runs");
        let count =
            |at: usize| at.checked_sub(first).and_then(|frame| reference.counts.get(frame).copied()).unwrap_or(1);
        let counts: Vec<u8> = (0..here).map(|index| count(step * hops + index)).collect();
        let mut samples = vec![0.0; chunk.len()];
        decoder.step(&encoded.codes.sent(&counts), &counts, here, &mut samples).expect("a step runs");
        codes.extend(encoded.codes.all());
        decoded.extend_from_slice(&samples);
    }
    let codes = codes[first * codebooks..][..frames * codebooks].to_vec();
    (codes, decoded[first * hop + late..][..reference.decoded.len()].to_vec())
}

/// Milliseconds a hop of encoder and decoder, `hops` hops a call.
fn cost(model: &Arc<Model>, hops: usize, seconds: fn() -> f64) -> [f64; 2] {
    let (hop, codebooks) = (model.card().hop, model.card().codebooks);
    let audio: Vec<f32> = (0..hops * hop).map(|i| 0.3 * (0.05 * i as f32).sin()).collect();
    let mut encoder = EncoderStream::new(model, 1).expect("the encoder runs");
    let mut decoder = DecoderStream::new(model, 1).expect("the decoder runs");
    let (mut encoded, mut samples, counts) = (Encoded::default(), vec![0.0; hops * hop], vec![codebooks as u8; hops]);
    let mut times = [Vec::new(), Vec::new()];
    // The first steps allocate. Processor time, because other programs may want the processor too.
    for step in 0..(HOPS / hops).max(2) + 2 {
        let started = seconds();
        encoder.step(&audio, hops, &mut encoded).expect("a step runs");
        let between = seconds();
        decoder.step(&encoded.codes.sent(&counts), &counts, hops, &mut samples).expect("a step runs");
        if step >= 2 {
            times[0].push(between - started);
            times[1].push(seconds() - between);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        1000.0 * times[times.len() / 2] / hops as f64
    })
}

/// Processor time of this thread, which computes alone.
#[cfg(unix)]
fn thread_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock writes to the place that it is given, and to nothing else.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

/// Where the system tells no thread's own.
#[cfg(not(unix))]
fn thread_seconds() -> f64 {
    clock_seconds()
}

/// By the clock.
fn clock_seconds() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
}

fn main() {
    let path = PathBuf::from(std::env::args().nth(1).expect("a checkpoint whose reference lies beside it"));
    let device = std::env::args().nth(2);
    if let Some(device) = &device {
        choose_device(device.parse().expect("a device")).expect("the device works");
    }
    let seconds = if device.is_some() { clock_seconds } else { thread_seconds };
    let state = StateDict::open(&path).expect("a checkpoint");
    let model = Arc::new(Model::from_bytes(&model_file(&state, "exactness", None).expect("a model")).expect("a model"));
    drop(state);
    let json = std::fs::read(path.with_extension("json")).expect("the reference beside the checkpoint");
    let reference: Reference = serde_json::from_slice(&json).expect("a reference");
    let card = model.card();
    let runtime = EncoderStream::new(&model, 1).expect("the encoder runs").runtime();
    let delay = 1000.0 * card.delay() as f64 / f64::from(card.sample_rate);
    println!(
        "{:.1} M weights, {runtime}, delay {} samples ({delay:.1} ms)\n",
        card.parameters as f64 / 1e6,
        card.delay()
    );
    let expected: Vec<u16> = reference.codes.concat();
    println!("| hops a call | codes that differ | largest difference of a sample |\n|---|---|---|");
    for hops in [1, 4, reference.codes.len() + 40] {
        let (codes, decoded) = stream(&model, &reference, hops);
        let differing = codes.iter().zip(&expected).filter(|(one, other)| one != other).count();
        let largest = decoded.iter().zip(&reference.decoded).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("| {hops} | {differing} of {} | {largest:.1e} |", expected.len());
    }
    println!(
        "\n| hops a call | encoder, ms a hop | decoder, ms a hop | together, to all in one call | share of real time |"
    );
    println!("|---|---|---|---|---|");
    let whole = cost(&model, HOPS, seconds);
    for (hops, cost) in
        [(1, cost(&model, 1, seconds)), (2, cost(&model, 2, seconds)), (4, cost(&model, 4, seconds)), (HOPS, whole)]
    {
        let together = cost[0] + cost[1];
        let (ratio, share) = (together / (whole[0] + whole[1]), 100.0 * together / 1000.0 * card.frame_rate());
        println!("| {hops} | {:.2} | {:.2} | {ratio:.2} | {share:.0} % |", cost[0], cost[1]);
    }
}
