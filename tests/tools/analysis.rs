//! What reports tell of dry and decoded sound, against the sound itself.

use crate::common;
use vrvq::engine::{Distortion, DistortionSum, FrameReport, LiveLoop, LoopConfig, SPECTRUM_BANDS, Telemetry, band_hz};
use vrvq::measure::noise_to_mask_db;
use vrvq::model::Model;

const HOP: usize = 512;

/// Sends three seconds of the bundled clip through the loop: the input, the output, its latency and the reports.
fn run(audio: &[Vec<f32>]) -> (Vec<Vec<f32>>, usize, Vec<FrameReport>) {
    let (telemetry, mut reports) = Telemetry::new();
    telemetry.set_view_open(true);
    let config =
        LoopConfig { sample_rate: 44_100.0, channels: audio.len(), max_block: HOP, safety_hops: 0, offline: true };
    let mut live = LiveLoop::start(config, Model::builtin().unwrap(), telemetry).unwrap();
    let mut output = audio.to_vec();
    for start in (0..audio[0].len()).step_by(HOP) {
        let end = (start + HOP).min(audio[0].len());
        let mut channels: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[start..end]).collect();
        live.process(&mut channels);
    }
    let latency = live.latency() as usize;
    drop(live);
    (output, latency, std::iter::from_fn(|| reports.receive()).collect())
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-3 * a.abs().max(b.abs()) + 1e-6
}

#[test]
fn the_distortion_told_is_that_of_what_is_heard_frame_by_frame() {
    let audio: Vec<Vec<f32>> = common::demo().iter().map(|c| c[..132_300].to_vec()).collect();
    let (output, latency, reports) = run(&audio);
    assert!(reports.len() > 200);
    for report in reports.iter().filter(|report| report.index > 20 && report.index < 200) {
        let start = report.index as usize * HOP;
        let samples = |signal: &'_ [Vec<f32>], start: usize| -> Vec<f32> {
            signal.iter().flat_map(|channel| channel[start..start + HOP].to_vec()).collect()
        };
        let (dry, decoded) = (samples(&audio, start), samples(&output, start + latency));
        let heard = Distortion::of(dry.into_iter(), decoded.into_iter());
        let told = report.distortion;
        assert!(
            near(told.dry, heard.dry) && near(told.decoded, heard.decoded) && near(told.product, heard.product),
            "frame {}: {told:?} told, {heard:?} heard",
            report.index
        );
        assert!(told.log_spectral > 0.0 && told.log_spectral < 60.0, "{told:?}");
        assert!(told.noise_to_mask > 0.0 && told.noise_to_mask < 1e4, "{told:?}");
    }
    let sum: DistortionSum = reports.iter().map(|report| &report.distortion).collect();
    let ratio = sum.si_sdr_db().unwrap();
    assert!((2.0..20.0).contains(&ratio), "{ratio} dB");
    // Of whole signals windows lie twice as far apart.
    let length = output[0].len() - latency;
    let of = |c: usize| noise_to_mask_db(&audio[c][..length], &output[c][latency..], 44_100);
    let whole = 10.0 * ((0..2).map(|c| 10f64.powf(of(c) / 10.0)).sum::<f64>() / 2.0).log10();
    let noise = sum.noise_to_mask_db().unwrap();
    assert!((noise - whole).abs() < 0.5, "{noise} dB told, {whole} dB heard");
    let loud = reports.iter().filter(|report| report.noise_to_mask.iter().any(|&ratio| ratio > 0.0)).count();
    assert!(loud > 20, "{loud} of {} frames are heard somewhere", reports.len());
}

#[test]
fn the_decoded_spectrum_is_that_of_the_same_moment() {
    // A tone that jumps from one pitch to another, once: so must both spectra, in the same frame.
    let pitch = |i: usize| if i < 60 * HOP { 440.0 } else { 2500.0 };
    let audio: Vec<f32> =
        (0..120 * HOP).map(|i| 0.4 * (std::f32::consts::TAU * pitch(i) * i as f32 / 44_100.0).sin()).collect();
    let (_, _, reports) = run(&[audio]);
    let nearest = |hz: f32| {
        let off = |band: usize| (band_hz(band) / hz).ln().abs();
        (0..SPECTRUM_BANDS).min_by(|&a, &b| off(a).total_cmp(&off(b))).unwrap()
    };
    let (low, high) = (nearest(440.0), nearest(2500.0));
    let jump = |spectrum: fn(&FrameReport) -> &[f32; SPECTRUM_BANDS]| {
        let report = reports.iter().find(|report| spectrum(report)[high] > spectrum(report)[low] && report.index > 10);
        report.unwrap().index
    };
    let (dry, decoded) = (jump(|report| &report.spectrum), jump(|report| &report.decoded_spectrum));
    assert!((60..=63).contains(&dry), "{dry}");
    assert!(dry.abs_diff(decoded) <= 1, "dry jumps in frame {dry}, decoded in {decoded}");
}
