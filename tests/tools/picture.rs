//! Pictures of streams, decoded again.

use crate::synthetic;
use std::path::PathBuf;
use vrvq::codec::Rate;
use vrvq::editor::{colours, theme};
use vrvq::engine::FrameReport;
use vrvq::picture::{PictureError, write_png};

const FRAME_RATE: f64 = 44_100.0 / 512.0;

/// A decoded picture.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn of(name: &str, reports: &[FrameReport]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        write_png(&path, reports, FRAME_RATE, "A test").unwrap();
        let eframe::egui::IconData { rgba, width, height } =
            eframe::icon_data::from_png_bytes(&std::fs::read(&path).unwrap()).unwrap();
        Self { width: width as usize, height: height as usize, pixels: rgba }
    }

    /// Pixels of a colour.
    fn count(&self, colour: egui::Color32) -> usize {
        let wanted = colour.to_array();
        self.pixels.chunks_exact(4).filter(|pixel| *pixel == wanted).count()
    }
}

/// Frames that use `count` codebooks, the code of each a quarter of the circle from the next.
fn steady(count: u8) -> Vec<FrameReport> {
    let mut report = FrameReport { rate: Rate::Level(16.0), ..FrameReport::default() };
    report.frames[0].count = count;
    report.frames[0].bits = 10 * u16::from(count) + 3;
    for (k, code) in report.frames[0].codes.iter_mut().take(count.into()).enumerate() {
        *code = 256 * (k as u16 % 4);
    }
    vec![report; 200]
}

#[test]
fn used_codebooks_are_lit_and_unused_dark() {
    let (one, all) = (Picture::of("one.png", &steady(1)), Picture::of("all.png", &steady(8)));
    assert!(one.width >= 1200 && one.height >= 800);
    assert_eq!((one.width, one.height), (all.width, all.height));
    let (lit, dark) = (colours::code(0), theme::ink().unused);
    // Code 0 is in one row of `one` and in two of `all`.
    let row = one.count(lit);
    assert!(row > 20_000, "{row}");
    assert_eq!(all.count(lit), 2 * row);
    assert_eq!(one.count(dark), 7 * row);
    assert_eq!(all.count(dark), 0);
    assert_eq!(all.count(colours::code(512)), 2 * row);
}

#[test]
fn late_frames_and_two_channels_are_drawn() {
    let mut reports: Vec<_> = (0..300).map(|index| synthetic::report(index, 24.0, 2)).collect();
    let plain = Picture::of("plain.png", &reports);
    reports[150] = FrameReport { late: true, channels: 2, ..FrameReport::default() };
    let late = Picture::of("late.png", &reports);
    assert_ne!(plain.pixels, late.pixels);
    assert!(plain.height > Picture::of("mono.png", &steady(1)).height, "two stacks of codebooks need room");
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    assert!(matches!(write_png(&path.join("none.png"), &[], FRAME_RATE, ""), Err(PictureError::Empty)));
    let nowhere = path.join("no-such-folder/picture.png");
    let error = write_png(&nowhere, &steady(1), FRAME_RATE, "").unwrap_err().to_string();
    assert!(error.contains("no-such-folder"), "{error}");
}
