//! Streams on a GPU, real or played by the processor: `cargo xtask test gpu` runs these, with a runtime that knows one.

mod common;
#[path = "common/looped.rs"]
mod looped;
#[path = "common/models.rs"]
mod models;

use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vrvq::codec::Effort;
use vrvq::engine::LoopState;
use vrvq::model::{
    DecoderStream, Device, DeviceChoice, Encoded, EncoderStream, Model, Provider, Synthesis, choose_device,
    describe_devices, probe, working_gpus,
};

const NEEDS: &str = "needs a GPU and its runtime: cargo xtask test gpu";

/// The device is the whole process's choice.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gpu() -> Device {
    *working_gpus().first().unwrap_or_else(|| panic!("{NEEDS}; here:\n{}", describe_devices()))
}

/// What came of one stream.
#[derive(Default)]
struct Outcome {
    codes: Vec<u16>,
    decoded: Vec<f32>,
    runtime: String,
}

/// Steps `model` over `hops` hops of the clip; after half of them it goes on in stereo, both channels from the one state.
fn run(model: &Arc<Model>, hops: usize) -> Outcome {
    let clip = common::demo_mono();
    let (hop, codebooks) = (model.card().hop, model.card().codebooks);
    let (mut encoder, mut decoder) = (EncoderStream::new(model, 1).unwrap(), DecoderStream::new(model, 1).unwrap());
    let mut outcome = Outcome { runtime: encoder.runtime(), ..Outcome::default() };
    let mut encoded = Encoded::default();
    for index in 0..hops {
        let channels = 1 + usize::from(index >= hops / 2);
        if index == hops / 2 {
            encoder.select(&[0, 0]).unwrap();
            decoder.select(&[0, 0]).unwrap();
        }
        let audio: Vec<f32> =
            (0..channels).flat_map(|channel| &clip[(index + 40 * channel + 300) * hop..][..hop]).copied().collect();
        encoder.step(&audio, 1, &mut encoded).unwrap();
        let mut samples = vec![0.0; channels * hop];
        decoder.step(&encoded.codes.all(), &vec![codebooks as u8; channels], 1, &mut samples).unwrap();
        outcome.codes.extend(encoded.codes.all());
        outcome.decoded.extend_from_slice(&samples);
    }
    outcome
}

fn on<T>(device: Device, work: impl FnOnce() -> T) -> T {
    choose_device(DeviceChoice::Only(device)).unwrap();
    let result = work();
    choose_device(DeviceChoice::Auto).unwrap();
    result
}

/// Samples may differ by `tolerance`.
fn assert_alike(gpu: &Outcome, cpu: &Outcome, tolerance: f32) {
    let differing = gpu.codes.iter().zip(&cpu.codes).filter(|(a, b)| a != b).count();
    assert!(differing * 100 <= cpu.codes.len(), "{differing} of {} codes differ", cpu.codes.len());
    assert!(cpu.decoded.iter().any(|sample| sample.abs() > 0.01), "the decoder is heard");
    if differing == 0 {
        let error = common::largest_difference(&gpu.decoded, &cpu.decoded);
        assert!(error < tolerance, "samples differ by {error} on {}", gpu.runtime);
    }
}

#[test]
#[ignore = "needs a GPU and its runtime: cargo xtask test gpu"]
fn a_stream_on_the_gpu_is_that_of_the_processor() {
    let _one = one_at_a_time();
    let device = gpu();
    // The shading language asks for a sine within 0.0005 only, and the imported model is full of them.
    let imported = models::open(&models::imported("dac-16k.safetensors"));
    for (model, tolerance) in [(Model::builtin().unwrap(), 1e-4), (imported, 2e-2)] {
        // Half of them before the streams become stereo, and beyond the model's delay.
        let hops = 8 + 2 * model.card().delay().div_ceil(model.card().hop);
        let cpu = on(Device::default(), || run(&model, hops));
        let gpu = on(device, || run(&model, hops));
        assert!(gpu.runtime.contains(&device.to_string()), "it runs on {}", gpu.runtime);
        assert!(!gpu.runtime.contains("matrix products"), "heavy work is left to the processor: {}", gpu.runtime);
        if model.card().span.is_some() {
            assert!(
                !gpu.runtime.contains("on the CPU"),
                "steps of an imported model wait for the processor: {}",
                gpu.runtime
            );
        }
        assert!(!cpu.runtime.contains(&device.to_string()));
        assert_alike(&gpu, &cpu, tolerance);
    }
}

/// The candidates' states, and those of latents that no codes stand for, are on it.
#[test]
#[ignore = "needs a GPU and its runtime: cargo xtask test gpu"]
fn codes_are_chosen_there_too() {
    let _one = one_at_a_time();
    let (model, clip, frames) = (Model::builtin().unwrap(), common::demo_mono(), 8);
    let hop = model.card().hop;
    let mut encoder = EncoderStream::new(&model, 1).unwrap();
    encoder.keep_candidates(Effort::REFINED.candidates);
    let mut encoded = Encoded::default();
    encoder.step(&clip[300 * hop..][..frames * hop], frames, &mut encoded).unwrap();
    let choose = |effort: Effort| -> Vec<u16> {
        let mut synthesis = Synthesis::new(&model, 1, effort).unwrap();
        (0..frames).flat_map(|frame| synthesis.choose(&encoded, |_| frame, &[8]).unwrap().to_vec()).collect()
    };
    let sound = Effort { rounds: 0, ..Effort::REFINED };
    let both = || [choose(sound), choose(Effort::REFINED)];
    let (cpu, gpu) = (on(Device::default(), both), on(gpu(), both));
    assert_ne!(cpu[0], cpu[1]);
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        let differing = cpu.iter().zip(gpu).filter(|(a, b)| a != b).count();
        assert!(differing * 8 <= cpu.len(), "{differing} of {} codes differ", cpu.len());
    }
}

/// Streams that wait for the GPU run as one batch; their states are joined and parted on it.
#[test]
#[ignore = "needs a GPU and its runtime: cargo xtask test gpu"]
fn streams_on_the_gpu_run_in_batches() {
    let _one = one_at_a_time();
    let (model, clip, streams, hops) = (Model::builtin().unwrap(), common::demo_mono(), 4, 5);
    let hop = model.card().hop;
    let run = |shared: bool| {
        let start = Barrier::new(streams);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..streams)
                .map(|stream| {
                    let (model, clip, start) = (&model, &clip, &start);
                    scope.spawn(move || {
                        let mut encoder = EncoderStream::new(model, 1).unwrap();
                        encoder.share(shared);
                        start.wait();
                        encoder.warm_up().unwrap();
                        let (mut codes, mut encoded) = (Vec::new(), Encoded::default());
                        for index in 0..hops {
                            let audio = &clip[(300 + 50 * stream + index) * hop..][..hop];
                            encoder.step(audio, 1, &mut encoded).unwrap();
                            codes.extend(encoded.codes.all());
                        }
                        (codes, encoder.batched())
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        })
    };
    let (together, alone) = on(gpu(), || (run(true), run(false)));
    assert!(together.iter().map(|(_, batched)| *batched).max() > Some(0), "there was no batch");
    for ((together, _), (alone, _)) in together.iter().zip(&alone) {
        let differing = together.iter().zip(alone).filter(|(a, b)| a != b).count();
        assert!(differing * 50 <= alone.len(), "{differing} of {} codes differ", alone.len());
    }
}

/// Whose fault it is isn't asked: what goes on in its place is on the processor.
#[test]
#[ignore = "needs a GPU and its runtime: cargo xtask test gpu"]
fn a_model_that_fails_on_the_gpu_is_replaced_on_the_processor() {
    let _one = one_at_a_time();
    let device = gpu();
    // Its graph runs, and gives codes that its card says it doesn't have.
    let failing = models::open(&models::with_card(&models::imported("vrvq-44k.pth"), |card| {
        card["codebook_size"] = 2.into();
    }));
    choose_device(DeviceChoice::Only(device)).unwrap();
    let (mut live, telemetry, _) = looped::start_with(looped::config(44_100.0, 1, 512), failing);
    let (clip, started) = (common::demo_mono(), Instant::now());
    let mut blocks = clip.chunks_exact(512).cycle();
    let name = Model::builtin().unwrap().card().name.clone();
    let settled = || telemetry.status().model == name && telemetry.status().coming.is_none();
    while !settled() {
        live.process(&mut [&mut blocks.next().unwrap().to_vec()]);
        assert!(started.elapsed() < Duration::from_secs(120), "it never came");
    }
    let status = telemetry.status();
    assert!(status.state == LoopState::Running && !status.runtime.contains(&device.to_string()), "{}", status.runtime);
    assert!(status.notice.is_some_and(|notice| notice.contains("on the processor")));
    choose_device(DeviceChoice::Auto).unwrap();
}

#[test]
#[ignore = "needs a GPU and its runtime: cargo xtask test gpu"]
fn a_gpu_that_is_not_there_is_refused_by_name() {
    let _one = one_at_a_time();
    for device in [Device::Gpu(Provider::Cuda, 7), Device::Gpu(Provider::CoreMl, 0)] {
        if working_gpus().contains(&device) {
            continue;
        }
        let error = probe(device).unwrap_err().to_string();
        assert!(error.contains(&device.to_string()), "{error}");
        assert!(choose_device(DeviceChoice::Only(device)).is_err());
    }
}
