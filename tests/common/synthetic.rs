//! Frame reports of an invented talker, for tests and demonstrations of what is drawn.

use vrvq::codec::{Rate, count};
use vrvq::engine::{ChannelFrame, Distortion, FrameReport, SPECTRUM_BANDS, band_hz};

/// A pseudo-random value in [0, 1) that depends on nothing but `seed`.
fn noise(seed: u64) -> f32 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 40) as f32 / (1u64 << 24) as f32
}

/// Frame `index` of a talker who pauses, packed at `level` in `channels` channels.
pub fn report(index: u64, level: f32, channels: usize) -> FrameReport {
    let t = index as f32 / 86.13;
    let syllable = (t * 3.1 + 0.6 * (t * 0.7).sin()).fract();
    let phrase = if (t * 0.23).fract() < 0.72 { 1.0 } else { 0.0 };
    let voiced = (t * 3.1) as u64 % 4 != 2;
    let loud = phrase * (syllable * std::f32::consts::PI).sin().max(0.0).powf(0.6);
    let pitch = 120.0 + 45.0 * (t * 1.7).sin() + 20.0 * (t * 5.1).sin();
    let formants = [500.0 + 250.0 * (t * 2.3).sin(), 1500.0 + 600.0 * (t * 1.9).cos(), 2700.0 + 200.0 * t.sin()];
    let mut report = FrameReport { index, channels: channels as u8, codebooks: 8, ..FrameReport::default() };
    report.rate = Rate::Level(level);
    for band in 0..SPECTRUM_BANDS {
        let hz = band_hz(band);
        let mut db = -88.0 - 6.0 * (hz / 4000.0).min(2.0) + 5.0 * noise(index * 131 + band as u64);
        if loud > 0.02 && voiced {
            let harmonic = ((hz / pitch).fract() - 0.5).abs() * 2.0;
            let comb = if hz < 3000.0 { 22.0 * (harmonic - 0.6) } else { 0.0 };
            let shape: f32 = formants.iter().map(|f| (-(hz / f).log2().powi(2) * 5.0).exp()).sum();
            db = db.max(20.0 * loud.log10() - 68.0 + 46.0 * shape.min(1.1) + comb - 8.0 * (hz / 6000.0));
        } else if loud > 0.02 {
            let hiss = (-(hz / 6500.0).log2().powi(2) * 0.9).exp();
            db = db.max(20.0 * loud.log10() - 85.0 + 50.0 * hiss + 8.0 * noise(index * 977 + band as u64));
        }
        report.spectrum[band] = db;
    }
    for channel in 0..channels {
        let wander = 0.06 * ((t * 9.0 + channel as f32 * 1.3).sin() + noise(index * 7 + channel as u64) - 0.5);
        let onset = (1.0 - syllable) * loud * 0.35;
        let importance = (0.02 + 0.32 * loud + onset + wander * loud).clamp(0.01, 0.98);
        let n = count(importance, level, 8);
        let mut frame =
            ChannelFrame { importance, count: n as u8, bits: (10 * n + 3) as u16, ..ChannelFrame::default() };
        for k in 0..n {
            // Coarse codebooks change slowly, fine ones at every frame.
            let hold = [7, 4, 2, 1, 1, 1, 1, 1][k];
            frame.codes[k] = (1024.0 * noise(index / hold * 31 + (k + 9 * channel) as u64)) as u16;
        }
        report.frames[channel] = frame;
    }
    // The fewer codebooks, the more is lost, most of it high up.
    let used = f32::from(report.frames[0].count) / 8.0;
    for band in 0..SPECTRUM_BANDS {
        let height = band as f32 / SPECTRUM_BANDS as f32;
        let lost = 18.0 * (1.0 - used) * height - 8.0 * (noise(index * 53 + band as u64) - 0.5) * (1.0 - used);
        report.decoded_spectrum[band] = report.spectrum[band] - lost;
        // Of a pause nothing is heard.
        report.noise_to_mask[band] = 30.0 * loud * (1.0 - used) * height - 20.0 + lost.abs();
    }
    let energy = f64::from(loud * loud).max(1e-6);
    let ratio = 10f64.powf(-f64::from(used));
    report.distortion = Distortion {
        dry: energy,
        decoded: energy * (1.0 + ratio),
        product: energy,
        log_spectral: 9.0 * (1.0 - used) + 1.0,
        noise_to_mask: 8.0 * loud * (1.0 - used),
    };
    report
}
