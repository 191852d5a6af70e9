//! A loop that runs for hours takes no more memory than one that runs for seconds.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod common;

use vrvq::codec::{Effort, Rate};
use vrvq::coding::{EncodeSettings, Encoder};
use vrvq::engine::{FrameReport, Pipeline};
use vrvq::model::Model;

/// A hundred for each hop is what a forgotten object would come to.
const MOST: usize = 32 * HOPS;
const HOPS: usize = 1000;

/// Bytes that the program and its libraries hold, of whatever language.
fn held() -> usize {
    // SAFETY: it reads the allocator's own figures.
    unsafe { libc::mallinfo2() }.uordblks
}

// One test, so that no other holds anything meanwhile.
#[test]
fn neither_a_loop_nor_a_long_file_holds_more_after_a_thousand_hops() {
    let model = Model::builtin().unwrap();
    let audio = common::demo_mono();
    let mut pipeline = Pipeline::new(&model, 1).unwrap();
    let (mut output, mut report) = (vec![0.0; 512], FrameReport::default());
    let mut run = |hops: usize| {
        for hop in audio.chunks_exact(512).cycle().take(hops) {
            pipeline.step(hop, Rate::Level(48.0), &mut output, &mut report).unwrap();
        }
        held()
    };
    let before = run(100);
    let after = run(HOPS);
    assert!(after < before + MOST, "live: {before} bytes, then {after}");

    let effort = Effort { candidates: 2, rounds: 1 };
    let settings = EncodeSettings { effort, ..EncodeSettings::default() };
    let mut encoder = Encoder::new(std::io::sink(), &model, 44100, 1, settings).unwrap();
    let mut run = |hops: usize| {
        for hop in audio.chunks_exact(512).cycle().take(hops) {
            encoder.push(&[hop]).unwrap();
        }
        held()
    };
    let before = run(200);
    let after = run(HOPS);
    assert!(after < before + MOST, "file, refined: {before} bytes, then {after}");
}
