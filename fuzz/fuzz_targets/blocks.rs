//! Any payloads in sound blocks: what the checksums keep from the target `container`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use vrvq::container::{Part, Reader};

// The input is a row of records: kind of the block, length of its payload (u16, little-endian), payload.
fuzz_target!(|input: &[u8]| {
    let (mut rest, mut bytes) = (input, Vec::new());
    while let [kind, low, high, behind @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(behind.len());
        block(&mut bytes, *kind, &behind[..length]);
        rest = &behind[length..];
    }
    let Ok(mut reader) = Reader::open(Cursor::new(&bytes)) else { return };
    let _ = reader.seek(input.len() as u64);
    let _ = reader.seek(0);
    while let Ok(Some(part)) = reader.next() {
        if let Part::Frames(frames) = part {
            let format = reader.header().format;
            for frame in 0..frames.len() {
                for channel in 0..frames.counts(frame).len() {
                    let codes = frames.codes(frame, channel);
                    assert!((1..=format.codebooks()).contains(&codes.len()));
                    assert!(codes.iter().all(|&code| usize::from(code) < format.codebook_size()));
                }
            }
        }
    }
});

fn block(bytes: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    let [low, high] = (payload.len() as u16).to_le_bytes();
    bytes.extend_from_slice(b"VRVQ");
    let start = bytes.len();
    bytes.extend_from_slice(&[kind, low, high, kind ^ low ^ high ^ 0xa5]);
    bytes.extend_from_slice(payload);
    let checksum = crc32fast::hash(&bytes[start..]);
    bytes.extend_from_slice(&checksum.to_le_bytes());
}
