//! What the live loop tells of a piece of audio.
#![allow(dead_code, reason = "each program uses a part of it")]

use vrvq::codec::RateControl;
use vrvq::engine::{FrameReport, LiveLoop, LoopConfig, Telemetry};
use vrvq::model::Model;

/// Block of the offline run, in samples.
const BLOCK: usize = 4096;

/// The reports of `audio`, planar at the model's rate, sent through the loop offline at `rate`.
pub fn reports(audio: &[Vec<f32>], rate: RateControl) -> Vec<FrameReport> {
    let model = Model::builtin().expect("the built-in model opens");
    let (telemetry, mut receiver) = Telemetry::new();
    telemetry.set_view_open(true);
    let config = LoopConfig {
        sample_rate: f64::from(model.card().sample_rate),
        channels: audio.len(),
        max_block: BLOCK,
        safety_hops: 0,
        offline: true,
    };
    let mut live = LiveLoop::start(config, model, telemetry).expect("the loop starts");
    live.set_rate(rate);
    let mut reports = Vec::new();
    for start in (0..audio[0].len()).step_by(BLOCK) {
        let end = (start + BLOCK).min(audio[0].len());
        let mut block: Vec<Vec<f32>> = audio.iter().map(|channel| channel[start..end].to_vec()).collect();
        let mut channels: Vec<&mut [f32]> = block.iter_mut().map(Vec::as_mut_slice).collect();
        live.process(&mut channels);
        reports.extend(std::iter::from_fn(|| receiver.receive()));
    }
    reports
}
