//! What the live loop costs on this machine: `cargo xtask bench` runs it once for each runtime.
//!
//! Prints the time of one hop through encoder, packets and decoder (mono and stereo), its share of real time, and the
//! audio thread's own time for one block. Ratios of one run are what to compare; machines are noisy.

use std::hint::black_box;
use std::time::{Duration, Instant};
use vrvq::codec::Rate;
use vrvq::engine::{FrameReport, LiveLoop, LoopConfig, LoopState, Pipeline, Telemetry};
use vrvq::model::{Model, runtime};

const STEPS: usize = 1500;
const WARM_UP: usize = 50;
const BLOCKS: usize = 2000;

/// Median, 99th percentile and worst of some durations, in milliseconds.
fn spread(mut times: Vec<Duration>) -> [f64; 3] {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    [at(0.5), at(0.99), at(1.0)]
}

/// A tone with noise, so that codes and counts vary.
fn hop(index: usize, length: usize) -> Vec<f32> {
    let mut noise = index as u32 ^ 0x9e37_79b9;
    (0..length)
        .map(|i| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let tone = ((index * length + i) as f32 * 0.05).sin();
            0.3 * tone + 0.05 * (noise as f32 / u32::MAX as f32 - 0.5)
        })
        .collect()
}

fn codec(channels: usize) {
    let model = Model::builtin().expect("the bundled model opens");
    let length = model.card().hop;
    let mut pipeline = Pipeline::new(&model, channels).expect("the bundled model runs");
    let mut output = vec![0.0; channels * length];
    let mut times = Vec::with_capacity(STEPS);
    for index in 0..STEPS + WARM_UP {
        let input = hop(index, channels * length);
        let started = Instant::now();
        pipeline.step(&input, Rate::Level(16.0), &mut output, &mut FrameReport::default()).expect("a step runs");
        if index >= WARM_UP {
            times.push(started.elapsed());
        }
        black_box(&output);
    }
    let [median, late, worst] = spread(times);
    let share = 100.0 * median * model.card().frame_rate() / 1000.0;
    println!(
        "| one hop, {channels} channel(s) | {median:.2} ms | {late:.2} ms | {worst:.2} ms | {share:.1} % of real time |"
    );
}

fn audio_thread(sample_rate: f64, block: usize) {
    let (telemetry, _reports) = Telemetry::new();
    let model = Model::builtin().expect("the bundled model opens");
    let config = LoopConfig { sample_rate, channels: 2, max_block: block, safety_hops: 1, offline: false };
    let mut live = LiveLoop::start(config, model, telemetry.clone()).expect("the loop starts");
    while telemetry.status().state != LoopState::Running {
        std::thread::sleep(Duration::from_millis(5));
    }
    let period = Duration::from_secs_f64(block as f64 / sample_rate);
    let mut times = Vec::with_capacity(BLOCKS);
    let mut next = Instant::now();
    let blocks = BLOCKS.min((15.0 * sample_rate / block as f64) as usize);
    for index in 0..blocks {
        let (mut left, mut right) = (hop(index, block), hop(index + 7, block));
        let started = Instant::now();
        live.process(&mut [&mut left, &mut right]);
        times.push(started.elapsed());
        next += period;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let [median, late, worst] = spread(times);
    let share = 100.0 * median / (period.as_secs_f64() * 1000.0);
    println!(
        "| audio thread, block of {block} at {sample_rate} Hz, stereo | {median:.3} ms | {late:.3} ms | {worst:.3} ms | \
         {share:.2} % of the block; {} late frames |",
        telemetry.late_frames()
    );
}

fn main() {
    let runtime = runtime().expect("a runtime starts");
    println!("\n**{}**\n", runtime.name());
    println!("| what | median | p99 | worst | share |\n|---|---|---|---|---|");
    codec(1);
    codec(2);
    audio_thread(48_000.0, 64);
    audio_thread(48_000.0, 512);
}
