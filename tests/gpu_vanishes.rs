//! A GPU that is lost while instances run on it: `cargo xtask test gpu` runs this with a driver that loses it on demand
//! (`tests/vanishing-gpu`). Alone in its binary, since a GPU that failed isn't tried again in the process.

mod common;
#[path = "common/looped.rs"]
mod looped;

use looped::{config, start};
use std::time::{Duration, Instant};
use vrvq::engine::{LiveLoop, LoopState, Telemetry};
use vrvq::model::{DeviceChoice, EncoderStream, Model, choose_device, describe_devices, working_gpus};

const BLOCK: usize = 512;

/// A tone whose blocks follow each other without a step.
fn block() -> Vec<f32> {
    (0..BLOCK).map(|i| 0.4 * (std::f32::consts::TAU * 5.0 * i as f32 / BLOCK as f32).sin()).collect()
}

fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

fn loudness(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

/// Plays the tone until `until`; what came out.
fn play(live: &mut LiveLoop, mut until: impl FnMut(&LiveLoop, usize) -> bool) -> Vec<f32> {
    let (mut output, started) = (Vec::new(), Instant::now());
    while !until(live, output.len()) {
        let start = output.len();
        output.extend(block());
        live.process(&mut [&mut output[start..]]);
        assert!(started.elapsed() < Duration::from_secs(120), "it never came");
    }
    output
}

#[test]
#[ignore = "needs a GPU that vanishes: cargo xtask test gpu"]
fn every_instance_goes_on_without_the_gpu() {
    let gone = std::env::var_os("VRVQ_GPU_GONE").expect("cargo xtask test gpu names the file");
    let gpu = *working_gpus().first().unwrap_or_else(|| panic!("no GPU works here:\n{}", describe_devices()));
    let name = gpu.to_string();
    choose_device(DeviceChoice::Only(gpu)).unwrap();
    let mut instances = [start(config(44_100.0, 1, BLOCK)), start(config(44_100.0, 1, BLOCK))];
    let seconds = |seconds: usize| move |_: &LiveLoop, samples: usize| samples >= seconds * 44_100;
    let mut usual = 0.0;
    for (live, telemetry, _) in &mut instances {
        let output = play(live, seconds(1));
        usual = largest_step(&output[20_000..]);
        let status = telemetry.status();
        assert!(status.state == LoopState::Running && status.runtime.contains(&name), "it runs on {}", status.runtime);
    }

    std::fs::write(&gone, "").unwrap();
    for (live, telemetry, _) in &mut instances {
        let on_cpu = |telemetry: &Telemetry| {
            let status = telemetry.status();
            status.state == LoopState::Running && !status.runtime.contains(&name) && status.coming.is_none()
        };
        let mut output = play(live, |live, _| live.is_settled() && on_cpu(telemetry));
        let late = telemetry.late_frames();
        assert!(late > 0, "what wasn't decoded is counted");
        output.extend(play(live, seconds(1)));
        assert_eq!(telemetry.late_frames(), late);
        let notice = telemetry.status().notice.expect("it is said");
        assert!(notice.contains(&name) && notice.contains("on the processor"), "{notice}");
        let step = largest_step(&output);
        assert!(step < 1.5 * usual, "a step of {step}, {usual} is usual");
        let whole = loudness(&output);
        for (index, part) in output.chunks_exact(441).enumerate() {
            let relative = loudness(part) / whole;
            // Between decoded and dry lies a short cross-fade of waves whose phases differ.
            assert!((0.4..1.4).contains(&relative), "10 ms at {}: {relative} of the loudness", index * 441);
        }
    }
    // Neither is it tried again.
    let encoder = EncoderStream::new(&Model::builtin().unwrap(), 1).unwrap();
    assert!(!encoder.runtime().contains(&name), "{}", encoder.runtime());
}
