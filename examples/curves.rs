//! Measures the rate-distortion curves that the view shows of the built-in model on the bundled clip, and prints them
//! as JSON:
//!
//! ```sh
//! cargo run --example curves > curves.json && mv curves.json assets/live.curves.json
//! ```
//!
//! The left channel of the clip goes through the live loop once for each setting. Bitrate and distortion
//! are those of the loop's own reports, as the view's dot is: SI-SDR over windows of three seconds, averaged, the
//! mean log-spectral distance and the noise-to-mask ratio. The curves in `assets/live.curves.json` are made of held-out audio by
//! `python -m vrvq_training curves` instead; these replace them on demand.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/live.rs"]
mod live;

use anyhow::{Result, ensure};
use vrvq::codec::{Rate, RateControl, kilobits_per_second};
use vrvq::engine::{DISTORTION_SECONDS, DistortionSum, FrameReport};
use vrvq::model::{CurvePoint, Curves, Model};

/// Levels of the paper's figures, and the ends of the knob.
const LEVELS: [f32; 10] = [1.0, 4.0, 6.0, 8.0, 12.0, 16.0, 20.0, 24.0, 32.0, 48.0];

fn main() -> Result<()> {
    let audio = vec![common::demo_mono()];
    let model = Model::builtin()?;
    let card = model.card();
    let measure = |rate: RateControl, setting: f32| -> Result<CurvePoint> {
        let point = point(&live::reports(&audio, rate), setting, card.frame_rate())?;
        eprintln!(
            "{rate}: {:.2} kb/s, {:.2} dB, {:.2} dB",
            point.kilobits,
            point.si_sdr_db,
            point.log_spectral_db.unwrap_or_default()
        );
        Ok(point)
    };
    let vbr = LEVELS.map(|level| measure(RateControl::Level(level), level)).into_iter().collect::<Result<_>>()?;
    let counts = 1..=card.codebooks as u8;
    let cbr = counts.map(|count| measure(RateControl::Codebooks(count), count.into())).collect::<Result<_>>()?;
    let seconds = audio[0].len() as f64 / f64::from(card.sample_rate);
    let measured_on = format!("the bundled clip ({seconds:.0} s, left channel)");
    let curves = Curves { fingerprint: model.fingerprint().into(), measured_on, vbr, cbr };
    println!("{}", serde_json::to_string_pretty(&curves)?);
    Ok(())
}

/// Means over all frames and windows.
fn point(reports: &[FrameReport], setting: f32, frame_rate: f64) -> Result<CurvePoint> {
    // Not the first frames, where they were packed at the loop's default.
    let wanted = |report: &&FrameReport| match report.rate {
        Rate::Level(level) => (level - setting).abs() < 1e-3,
        Rate::Codebooks(count) => f32::from(count) == setting,
    };
    let reports: Vec<&FrameReport> = reports.iter().filter(wanted).collect();
    let window = (DISTORTION_SECONDS * frame_rate).round() as usize;
    let distortions = |reports: &[&FrameReport]| reports.iter().map(|r| &r.distortion).collect::<DistortionSum>();
    let ratios: Vec<f64> = reports.chunks_exact(window).filter_map(|part| distortions(part).si_sdr_db()).collect();
    ensure!(!ratios.is_empty(), "no sound to measure on");
    let bits = reports.iter().map(|report| u64::from(report.bits())).sum();
    let frames: u64 = reports.iter().map(|report| report.channel_frames().len() as u64).sum();
    Ok(CurvePoint {
        setting,
        kilobits: kilobits_per_second(bits, frames, frame_rate),
        si_sdr_db: ratios.iter().sum::<f64>() / ratios.len() as f64,
        log_spectral_db: distortions(&reports).log_spectral_db(),
        noise_to_mask_db: distortions(&reports).noise_to_mask_db(),
    })
}
