//! How many instances of the live loop this machine keeps going, and what they cost, in real time:
//!
//! ```sh
//! cargo run --release --example instances -- 8 512
//! ```
//!
//! 8 loops with the bundled model, one channel and one safety hop each, get blocks of 512 samples of the bundled clip for 12
//! seconds from one thread, as urgent as a host's where the system allows it. Prints late frames and processor time.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};
use vrvq::engine::{LiveLoop, LoopConfig, LoopState, Telemetry};
use vrvq::model::Model;

const RATE: f64 = 44_100.0;
const SECONDS: f64 = 12.0;
const USAGE: &str = "usage: instances NUMBER BLOCK";

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().expect(USAGE));
    let (number, block) = (arguments.next().expect(USAGE), arguments.next().expect(USAGE));
    let clip = common::demo_mono();
    let model = Model::builtin().expect("the bundled model");
    let config = LoopConfig { sample_rate: RATE, channels: 1, max_block: block, safety_hops: 1, offline: false };
    let start = || {
        let (telemetry, _) = Telemetry::new();
        (LiveLoop::start(config, model.clone(), telemetry.clone()).expect("a loop"), telemetry)
    };
    let mut loops: Vec<_> = (0..number).map(|_| start()).collect();
    while loops.iter().any(|(_, telemetry)| telemetry.status().state != LoopState::Running) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = audio_thread_priority::promote_current_thread_to_real_time(block as u32, RATE as u32);
    let (started, spent) = (Instant::now(), processor_time());
    let blocks = (SECONDS * RATE / block as f64) as usize;
    let mut samples = vec![0.0; block];
    for index in 0..blocks {
        for (shift, (live, _)) in loops.iter_mut().enumerate() {
            // Each another part of it.
            let from = (index * block + shift * 50_000) % (clip.len() - block);
            samples.copy_from_slice(&clip[from..][..block]);
            live.process(&mut [&mut samples]);
        }
        let due = started + Duration::from_secs_f64((index + 1) as f64 * block as f64 / RATE);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let cores = (processor_time() - spent) / started.elapsed().as_secs_f64();
    let late: u64 = loops.iter().map(|(_, telemetry)| telemetry.late_frames()).sum();
    let hops: f32 = loops.iter().map(|(_, telemetry)| telemetry.hops_per_call()).sum::<f32>() / number as f32;
    let frames = (number * blocks * block) as f64 / model.card().hop as f64;
    println!(
        "{number} instances, blocks of {block}: {late} of {frames:.0} frames late, {hops:.1} hops a call, {cores:.2} cores"
    );
}

/// Processor time of this process, in seconds.
#[cfg(unix)]
fn processor_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock writes to the place that it is given, and to nothing else.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Not told where the system isn't one of these.
#[cfg(not(unix))]
fn processor_time() -> f64 {
    f64::NAN
}
