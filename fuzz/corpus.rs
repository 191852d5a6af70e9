//! Writes the first inputs of the targets to `corpus/`: small files of every kind, whole.

use std::path::Path;
use vrvq::codec::{PacketFormat, RateControl, StereoMode};
use vrvq::container::{Header, ModelId, Payload, Tags, Writer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let keep = |target: &str, name: &str, bytes: &[u8]| -> std::io::Result<()> {
        std::fs::create_dir_all(corpus.join(target))?;
        std::fs::write(corpus.join(target).join(name), bytes)
    };
    for (number, (payload, codebooks, size, channels)) in [
        (Payload::Plain, 8, 1024, 1),
        (Payload::Entropy, 8, 1024, 2),
        (Payload::Plain, 3, 200, 2),
        (Payload::Entropy, 1, 2, 3),
        (Payload::Entropy, 32, 65536, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let bytes = file(payload, codebooks, size, channels)?;
        keep("container", &format!("file-{number}"), &bytes)?;
        keep("blocks", &format!("file-{number}"), &records(&bytes))?;
    }
    // Count of codebooks, their size less 1, whether the count is constant, bits.
    for (number, bytes) in
        [&[8, 0xff, 3, 0, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10][..], &[3, 199, 0, 1, 2, 9, 9, 9]].into_iter().enumerate()
    {
        keep("packets", &format!("packet-{number}"), bytes)?;
    }
    // Two codebooks of two entries, with one row and with two.
    let tables = [2, 1, 2, 1, 0, 0, 0, 0x80, 0, 0x80, 1, 1, 0, 0, 0x40, 0, 0xc0, 1, 0, 0xff, 0xff];
    keep("model", "tables", &tables)?;
    keep("model", "card", [&[1], &include_bytes!("card.json")[..]].concat().as_slice())?;
    Ok(())
}

/// A file of a few blocks: frames, a gap, another stereo mode, constant counts.
fn file(
    payload: Payload,
    codebooks: usize,
    size: usize,
    channels: u8,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let header = Header {
        model: ModelId { name: "seed".into(), hash: [7; 32] },
        model_rate: 44_100,
        hop: 512,
        format: PacketFormat::new(codebooks, size)?,
        sample_rate: 48_000,
        channels,
        stereo: StereoMode::LeftRight,
        delay: 512,
        length: Some(4000),
        rate: Some(RateControl::Level(8.0)),
        payload,
        tables: None,
    };
    let mut tags = Tags::default();
    tags.push("TITLE", "seed")?;
    let mut writer = Writer::new(Vec::new(), header, &tags, None)?.with_block_frames(4);
    for frame in 0..12_usize {
        if frame == 6 {
            writer.skip(2)?;
        }
        let constant = frame >= 9;
        let count = if constant { codebooks.min(2) } else { frame % codebooks + 1 };
        let codes: Vec<u16> = (0..count).map(|k| ((frame * 37 + k * 11) % size) as u16).collect();
        let stereo = if frame < 4 { StereoMode::LeftRight } else { StereoMode::MidSide };
        writer.push(stereo, constant, (0..channels).map(|_| &codes[..]))?;
    }
    Ok(writer.finish(4000)?)
}

/// The blocks of a file as the target `blocks` takes them.
fn records(file: &[u8]) -> Vec<u8> {
    let (mut records, mut at) = (Vec::new(), 0);
    while at + 8 <= file.len() {
        let length = usize::from(u16::from_le_bytes([file[at + 5], file[at + 6]]));
        records.extend_from_slice(&file[at + 4..at + 7]);
        records.extend_from_slice(&file[at + 8..at + 8 + length]);
        at += 12 + length;
    }
    records
}
