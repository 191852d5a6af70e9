//! The learned importance map knows what silence is worth: one codebook, however high the level.

mod common;

use vrvq::codec::{Rate, count};
use vrvq::engine::{FrameReport, Pipeline};
use vrvq::model::{Encoded, EncoderStream, Model};

#[test]
fn digital_silence_costs_one_codebook_at_every_level() {
    let model = Model::builtin().unwrap();
    let mut encoder = EncoderStream::new(&model, 1).unwrap();
    let mut encoded = Encoded::default();
    let hops = 10 * 86;
    encoder.step(&vec![0.0; hops * 512], hops, &mut encoded).unwrap();
    for level in 1..=48 {
        let counts = encoded.importance.iter().map(|&p| count(p, level as f32, 8));
        assert_eq!(counts.filter(|&n| n > 1).count(), 0, "level {level}");
    }
}

#[test]
fn silence_within_sound_costs_one_codebook() {
    // The bundled clip has one second of digital silence after 5.5 s.
    let model = Model::builtin().unwrap();
    let audio = common::demo_mono();
    let mut pipeline = Pipeline::new(&model, 1).unwrap();
    let mut output = vec![0.0; 512];
    let (mut silent, mut cheap, mut loud) = (0, 0, 0);
    for hop in audio.windows(1024).step_by(512) {
        let mut report = FrameReport::default();
        pipeline.step(&hop[512..], Rate::Level(48.0), &mut output, &mut report).unwrap();
        // A frame spans two hops.
        if hop.iter().all(|&s| s == 0.0) {
            silent += 1;
            cheap += usize::from(report.bits() == 13);
        } else {
            loud += usize::from(report.bits() > 13);
        }
    }
    assert!(silent > 80 && loud > 500, "{silent} silent frames, {loud} others with more than one codebook");
    assert!(cheap * 100 >= silent * 99, "{cheap} of {silent} silent frames at one codebook");
}
