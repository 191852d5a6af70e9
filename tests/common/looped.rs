//! The live loop as tests run it: offline unless told otherwise, so that nothing is late.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;
use vrvq::engine::{FrameReport, LiveLoop, LoopConfig, ReportReceiver, Telemetry};
use vrvq::model::Model;

pub fn config(sample_rate: f64, channels: usize, max_block: usize) -> LoopConfig {
    LoopConfig { sample_rate, channels, max_block, safety_hops: 1, offline: true }
}

pub fn start(config: LoopConfig) -> (LiveLoop, Arc<Telemetry>, ReportReceiver) {
    start_with(config, Model::builtin().unwrap())
}

pub fn start_with(config: LoopConfig, model: Arc<Model>) -> (LiveLoop, Arc<Telemetry>, ReportReceiver) {
    let (telemetry, reports) = Telemetry::new();
    telemetry.set_view_open(true);
    let live = LiveLoop::start(config, model, telemetry.clone()).unwrap();
    (live, telemetry, reports)
}

/// Sends `audio` through in blocks of the given lengths, in turn.
pub fn run(live: &mut LiveLoop, audio: &[Vec<f32>], blocks: &[usize]) -> Vec<Vec<f32>> {
    let mut output = audio.to_vec();
    let (mut at, mut lengths) = (0, blocks.iter().cycle());
    while at < audio[0].len() {
        let end = (at + lengths.next().unwrap()).min(audio[0].len());
        let mut channels: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[at..end]).collect();
        live.process(&mut channels);
        at = end;
    }
    output
}

pub fn delayed(audio: &[f32], delay: usize) -> Vec<f32> {
    let mut output = vec![0.0; delay.min(audio.len())];
    output.extend_from_slice(&audio[..audio.len() - output.len()]);
    output
}

pub fn drain(reports: &mut ReportReceiver) -> Vec<FrameReport> {
    std::iter::from_fn(|| reports.receive()).collect()
}
