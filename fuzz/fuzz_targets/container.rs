//! Any bytes as a file: read as a pipe, read as a file, sought in.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use vrvq::container::{Part, Reader};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut reader) = Reader::new(bytes) {
        while let Ok(Some(part)) = reader.next() {
            look(&part);
        }
    }
    if let Ok(mut reader) = Reader::open(Cursor::new(bytes)) {
        let frames = reader.end().map_or(100, |end| end.frames);
        for frame in [frames / 2, 0, frames, u64::MAX] {
            if reader.seek(frame).is_ok() {
                let _ = reader.next().map(|part| part.iter().for_each(look));
            }
        }
    }
});

fn look(part: &Part) {
    match part {
        Part::Frames(frames) => {
            for frame in 0..frames.len() {
                (0..frames.counts(frame).len()).for_each(|channel| assert!(!frames.codes(frame, channel).is_empty()));
            }
        }
        Part::Gap { frames, .. } => assert!(*frames > 0),
        Part::Damage(damage) => assert!(!damage.to_string().is_empty()),
    }
}
