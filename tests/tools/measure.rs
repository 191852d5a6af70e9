//! Measures against figures made elsewhere, and one encoding measured at many rates.

use crate::common;
use vrvq::codec::{Effort, Rate};
use vrvq::measure::{Analysis, MelDistance, align, lag, noise_to_mask_db, si_sdr};
use vrvq::model::Model;

/// A piece of the bundled clip, and the same with a faint echo.
fn pair() -> (Vec<f32>, Vec<f32>) {
    let clip = common::demo_mono()[100_000..130_001].to_vec();
    let length = clip.len();
    let echo = (0..length).map(|i| 0.9 * clip[i] + 0.1 * clip[(i + length - 100) % length]).collect();
    (clip, echo)
}

#[test]
fn measures_are_those_of_the_formulas() {
    // Made with NumPy from the definitions, in double precision.
    let (clip, echo) = pair();
    let db = si_sdr(&clip, &echo);
    assert!((db - 19.747_18).abs() < 1e-3, "{db}");
    let mel = MelDistance::new(44_100);
    let distance = mel.distance(&clip, &echo);
    assert!((distance - 0.045_501).abs() < 1e-4, "{distance}");
    assert_eq!(mel.distance(&clip, &clip), 0.0);
    assert!(si_sdr(&clip, &clip) > 100.0);
    let louder: Vec<f32> = echo.iter().map(|x| 3.0 * x).collect();
    assert!((si_sdr(&clip, &louder) - db).abs() < 1e-3, "loudness doesn't count");
}

#[test]
fn the_noise_to_mask_ratio_is_that_of_another_implementation() {
    let (clip, echo) = pair();
    // Total NMRB of GstPEAQ 0.6.1, which knows 48 kHz only, of the same samples.
    let ratio = noise_to_mask_db(&clip, &echo, 48_000);
    assert!((ratio + 15.3888).abs() < 0.01, "{ratio}");
    let coarse: Vec<f32> = clip.iter().map(|x| (x * 64.0).round_ties_even() / 64.0).collect();
    let ratio = noise_to_mask_db(&clip, &coarse, 48_000);
    assert!((ratio - 23.1582).abs() < 0.01, "{ratio}");
    assert_eq!(noise_to_mask_db(&clip, &clip, 48_000), -100.0);
}

#[test]
fn a_delay_is_found_and_undone() {
    let (clip, _) = pair();
    for delay in [0i64, 1, 441, -300] {
        let late = align(&clip, -delay, clip.len());
        assert_eq!(lag(&clip, &late, 1000), delay);
        let back = align(&late, delay, clip.len());
        assert_eq!(back[1000..20_000], clip[1000..20_000]);
    }
    assert_eq!(lag(&clip, &vec![0.0; clip.len()], 1000), 0);
}

#[test]
fn one_encoding_gives_every_rate() {
    let model = Model::builtin().unwrap();
    let clip = common::demo_mono()[..44_100 * 4].to_vec();
    let [analysis, by_sound] =
        [Effort::LATENT, Effort::SOUND].map(|effort| Analysis::new(&model, clip.clone(), effort).unwrap());
    let mut last = (0.0, f64::MIN);
    for rate in [Rate::Codebooks(1), Rate::Codebooks(3), Rate::Codebooks(8)] {
        let decoded = analysis.decode(rate).unwrap();
        assert_eq!(decoded.len(), analysis.samples.len());
        assert!(lag(&analysis.samples, &decoded, 1500).abs() <= 1);
        let point = (analysis.kilobits(rate), si_sdr(&analysis.samples, &decoded));
        assert!(point.0 > last.0 && point.1 > last.1 + 1.0, "{rate}: {point:?} after {last:?}");
        let sound = (by_sound.kilobits(rate), si_sdr(&clip, &by_sound.decode(rate).unwrap()));
        assert!(sound.0 == point.0 && sound.1 > point.1 + 0.1, "{rate}: {sound:?} by sound, {point:?}");
        last = point;
    }
    // Eight codebooks of ten bits and no count; with it where the count varies.
    assert!((last.0 - 86.13 * 80.0 / 1000.0).abs() < 0.01, "{}", last.0);
    let most = analysis.kilobits(Rate::Level(48.0));
    assert!(most > 1.12 && most <= 7.15, "{most}");
}
