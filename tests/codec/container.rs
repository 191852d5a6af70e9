//! The `.vrvq` file: what goes in comes out, from any point on, and damage costs its own frames and is named.

use std::io::{Cursor, Read, Write};
use vrvq::codec::{PacketFormat, RateControl, StereoMode};
use vrvq::container::{ContainerError, DamageKind, Frames, Header, ModelId, Part, Payload, Reader, Tags, Writer};

fn header(codebooks: usize, size: usize, channels: u8, payload: Payload) -> Header {
    Header {
        model: ModelId { name: "a model".into(), hash: [7; 32] },
        model_rate: 44_100,
        hop: 512,
        format: PacketFormat::new(codebooks, size).unwrap(),
        sample_rate: 48_000,
        channels,
        stereo: StereoMode::LeftRight,
        delay: 1024,
        length: None,
        rate: Some(RateControl::Level(16.0)),
        payload,
        tables: None,
    }
}

/// Codes of each channel of frame `index`: counts that wander, codes without order.
fn codes(header: &Header, index: u64) -> Vec<Vec<u16>> {
    let mut random = fastrand::Rng::with_seed(index);
    let most = header.format.codebooks();
    let wander = ((index as f64 * 0.11).sin() * 0.5 + 0.5) * most as f64;
    (0..header.channels)
        .map(|channel| {
            let count = (wander as usize + usize::from(channel) % 2 + random.usize(0..2)).clamp(1, most);
            (0..count).map(|_| random.u32(0..header.format.codebook_size() as u32) as u16).collect()
        })
        .collect()
}

fn push<W: Write>(writer: &mut Writer<W>, index: u64) {
    let codes = codes(writer.header(), index);
    writer.push(StereoMode::LeftRight, false, codes.iter().map(Vec::as_slice)).unwrap();
}

/// A file of `frames` frames in blocks of `block`.
fn file(header: &Header, frames: u64, block: usize) -> Vec<u8> {
    let mut tags = Tags::default();
    tags.push("TITLE", "Ein Stück").unwrap();
    let mut writer = Writer::new(Vec::new(), header.clone(), &tags, None).unwrap().with_block_frames(block);
    (0..frames).for_each(|index| push(&mut writer, index));
    writer.finish(frames * 557).unwrap()
}

fn parts<R: Read>(mut reader: Reader<R>) -> Vec<Part> {
    std::iter::from_fn(|| reader.next().unwrap()).collect()
}

/// Checks that the frames are those that were written.
fn check(header: &Header, frames: &Frames) {
    for frame in 0..frames.len() {
        let expected = codes(header, frames.first() + frame as u64);
        for (channel, expected) in expected.iter().enumerate() {
            assert_eq!(frames.codes(frame, channel), expected, "frame {}", frames.first() + frame as u64);
        }
    }
}

/// Numbers of the frames that came, all checked.
fn checked(header: &Header, parts: &[Part]) -> Vec<u64> {
    let mut numbers = Vec::new();
    for part in parts {
        if let Part::Frames(frames) = part {
            check(header, frames);
            numbers.extend(frames.first()..frames.first() + frames.len() as u64);
        }
    }
    numbers
}

#[test]
fn any_shape_survives() {
    for payload in [Payload::Plain, Payload::Entropy] {
        for (codebooks, size, channels) in
            [(8, 1024, 1), (8, 1024, 2), (1, 2, 1), (32, 65_536, 2), (9, 1000, 6), (32, 1024, 32), (5, 3, 3)]
        {
            let header = header(codebooks, size, channels, payload);
            let bytes = file(&header, 700, 300);
            let mut reader = Reader::open(Cursor::new(&bytes)).unwrap();
            assert_eq!(*reader.header(), header);
            let end = *reader.end().expect("an end");
            assert_eq!((end.length, end.frames), (700 * 557, 700));
            let mut numbers = Vec::new();
            let mut bits = 0;
            while let Some(part) = reader.next().unwrap() {
                let Part::Frames(frames) = part else { panic!("{part:?} in a sound file") };
                check(&header, &frames);
                numbers.extend(frames.first()..frames.first() + frames.len() as u64);
                bits += frames.bits();
            }
            assert!(numbers.into_iter().eq(0..700));
            assert_eq!(bits, end.bits);
            assert_eq!(reader.tags().get("title"), Some("Ein Stück"));
            let most: u64 = (0..700)
                .flat_map(|index| codes(&header, index))
                .map(|c| header.format.frame_bits(c.len()) as u64)
                .sum();
            assert!(payload == Payload::Entropy || end.bits == most);
            assert!(end.bits <= most + 8 * 700, "{} bits where packets take {most}", end.bits);
        }
    }
}

#[test]
fn a_change_of_mode_and_a_gap_are_kept() {
    let header = header(8, 1024, 2, Payload::Entropy);
    let mut writer = Writer::new(Vec::new(), header.clone(), &Tags::default(), None).unwrap();
    (0..5).for_each(|index| push(&mut writer, index));
    writer.skip(3).unwrap();
    let constant = [[1u16, 2, 3], [4, 5, 6]];
    for _ in 0..4 {
        writer.push(StereoMode::MidSide, true, constant.iter().map(<[u16; 3]>::as_slice)).unwrap();
    }
    let bytes = writer.finish(100).unwrap();
    let parts = parts(Reader::new(&bytes[..]).unwrap());
    let [Part::Frames(first), Part::Gap { first: 5, frames: 3 }, Part::Frames(second)] = &parts[..] else {
        panic!("{parts:?}")
    };
    check(&header, first);
    assert_eq!((second.first(), second.len(), second.stereo()), (8, 4, StereoMode::MidSide));
    assert_eq!(second.constant_count(), Some(3));
    assert!((0..4).all(|frame| (0..2).all(|channel| second.codes(frame, channel) == constant[channel])));
}

#[test]
fn frames_that_are_none_of_the_file_are_refused() {
    let header = header(4, 100, 2, Payload::Plain);
    let mut writer = Writer::new(Vec::new(), header, &Tags::default(), None).unwrap();
    let mut refused = |channels: &[&[u16]]| {
        let result = writer.push(StereoMode::LeftRight, false, channels.iter().copied());
        assert!(matches!(result, Err(ContainerError::Frame(_) | ContainerError::Packet(_))), "{channels:?}");
    };
    refused(&[&[1]]);
    refused(&[&[1], &[]]);
    refused(&[&[1], &[1, 2, 3, 4, 5]]);
    refused(&[&[99], &[100]]);
    assert_eq!(writer.frames(), 0);
    let result = Tags::default().push("a=b", "c");
    assert!(matches!(result, Err(ContainerError::TagKey(_))));
}

#[test]
fn reading_starts_at_any_block() {
    let header = header(8, 1024, 1, Payload::Entropy);
    let bytes = file(&header, 10_000, 20);
    // Joined at a copy of the header, as a listener does who comes late.
    let late = &bytes[bytes.len() / 2..];
    let reader = Reader::new(late).unwrap();
    assert!(reader.joined());
    let parts = parts(reader);
    let numbers = checked(&header, &parts);
    assert!(numbers[0] > 4000 && numbers.last() == Some(&9999));
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));

    let mut reader = Reader::open(Cursor::new(&bytes)).unwrap();
    for frame in [0, 1, 19, 20, 21, 9_999, 4_321, 7_777] {
        reader.seek(frame).unwrap();
        let Some(Part::Frames(frames)) = reader.next().unwrap() else { panic!("no frames at {frame}") };
        assert!((frames.first()..frames.first() + frames.len() as u64).contains(&frame));
        check(&header, &frames);
    }
    // A file that was cut off has no index, and is searched.
    let mut reader = Reader::open(Cursor::new(&bytes[..bytes.len() / 2])).unwrap();
    assert!(reader.end().is_none());
    reader.seek(3_210).unwrap();
    let Some(Part::Frames(frames)) = reader.next().unwrap() else { panic!("no frames") };
    assert!((frames.first()..frames.first() + frames.len() as u64).contains(&3_210));
}

#[test]
fn every_byte_flipped_cut_or_repeated_costs_its_own_block() {
    let header = header(8, 1024, 1, Payload::Entropy);
    let (frames, block) = (100, 10);
    let bytes = file(&header, frames, block);
    let sound = checked(&header, &parts(Reader::open(Cursor::new(&bytes)).unwrap()));
    assert!(sound.into_iter().eq(0..frames));
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let mut cut = bytes.clone();
        cut.remove(at);
        let mut repeated = bytes.clone();
        repeated.insert(at, bytes[at]);
        for (what, bytes) in [("flipped", flipped), ("cut", cut), ("repeated", repeated)] {
            let read = parts(Reader::open(Cursor::new(&bytes)).unwrap());
            let numbers = checked(&header, &read);
            let kept = numbers.len() as u64;
            assert!(kept + block as u64 >= frames, "byte {at} {what}: only {kept} frames");
            let (mut named, mut lost) = (false, 0);
            for part in &read {
                if let Part::Damage(damage) = part {
                    named = true;
                    lost += damage.frames;
                    assert!(!damage.to_string().is_empty());
                }
            }
            assert!(named || kept == frames, "byte {at} {what}: {} frames lost without a word", frames - kept);
            // Without the end block nothing tells how many frames there were.
            let ended = !read.iter().any(|p| matches!(p, Part::Damage(d) if d.kind == DamageKind::Cut));
            assert!(!ended || lost + kept == frames, "byte {at} {what}: {kept} + {lost} frames");
        }
    }
    for length in 0..bytes.len() {
        match Reader::open(Cursor::new(&bytes[..length])) {
            Err(error) => assert!(matches!(error, ContainerError::NoHeader(_)), "cut at {length}: {error}"),
            Ok(reader) => {
                let read = parts(reader);
                assert!(matches!(read.last(), Some(Part::Damage(d)) if d.kind == DamageKind::Cut), "cut at {length}");
                let numbers = checked(&header, &read);
                assert!(numbers.iter().copied().eq(0..numbers.len() as u64));
            }
        }
    }
}

#[test]
fn blocks_lost_repeated_or_out_of_order_are_named() {
    let header = header(8, 1024, 1, Payload::Plain);
    let bytes = file(&header, 50, 10);
    let starts: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(b"VRVQF")).collect();
    assert_eq!(starts.len(), 5);
    let block = |index: usize| bytes[starts[index]..starts[index + 1]].to_vec();
    let built = |order: &[usize]| {
        let mut built = bytes[..starts[0]].to_vec();
        order.iter().for_each(|&index| built.extend(block(index)));
        built.extend_from_slice(&bytes[starts[4]..]);
        let parts = parts(Reader::new(Cursor::new(built)).unwrap());
        let damage: Vec<_> = parts
            .iter()
            .filter_map(|part| if let Part::Damage(d) = part { Some((d.kind, d.first, d.frames)) } else { None })
            .collect();
        (checked(&header, &parts).len(), damage)
    };
    assert_eq!(built(&[0, 1, 2, 3]), (50, vec![]));
    assert_eq!(built(&[0, 2, 3]), (40, vec![(DamageKind::Missing, 10, 10)]));
    assert_eq!(built(&[0, 1, 1, 2, 3]), (50, vec![(DamageKind::Repeated, 10, 0)]));
    let swapped = vec![(DamageKind::Missing, 10, 10), (DamageKind::Repeated, 10, 0)];
    assert_eq!(built(&[0, 2, 1, 3]), (40, swapped));
}

/// Counts what it is given and keeps none of it.
struct Counting(u64);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn ten_hours_are_seekable_and_their_index_is_bounded() {
    let header = header(8, 1024, 1, Payload::Plain);
    let frames = (10.0 * 3600.0 * header.frame_rate()) as u64;
    // In blocks of a fifth of a second: 180 000 of them.
    let mut writer = Writer::new(Vec::new(), header.clone(), &Tags::default(), None).unwrap().with_block_frames(17);
    for index in 0..frames {
        push(&mut writer, index % 977);
    }
    let before = writer.bytes();
    let bytes = writer.finish(frames * 512).unwrap();
    assert!(bytes.len() as u64 - before < 40_000, "what stands at the end grows with the file");
    let mut reader = Reader::open(Cursor::new(&bytes)).unwrap();
    for frame in [frames - 1, frames / 2, 12_345] {
        reader.seek(frame).unwrap();
        let Some(Part::Frames(frames)) = reader.next().unwrap() else { panic!("no frames at {frame}") };
        assert!((frames.first()..frames.first() + frames.len() as u64).contains(&frame));
    }
}

#[test]
fn a_pipe_is_as_good_as_a_file() {
    let header = header(8, 1024, 2, Payload::Entropy);
    let mut writer = Writer::new(Counting(0), header.clone(), &Tags::default(), None).unwrap();
    (0..1000).for_each(|index| push(&mut writer, index));
    let counted = writer.finish(1).unwrap().0;
    assert_eq!(counted, file_without_tags(&header).len() as u64);

    /// Gives a byte at a time.
    struct Dripping<'a>(&'a [u8]);
    impl Read for Dripping<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            let length = bytes.len().min(1);
            self.0.read(&mut bytes[..length])
        }
    }
    let bytes = file(&header, 100, 50);
    let whole = parts(Reader::new(&bytes[..]).unwrap());
    assert_eq!(parts(Reader::new(Dripping(&bytes)).unwrap()), whole);
}

fn file_without_tags(header: &Header) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), header.clone(), &Tags::default(), None).unwrap();
    (0..1000).for_each(|index| push(&mut writer, index));
    writer.finish(1).unwrap()
}

#[test]
fn what_is_no_file_is_refused() {
    assert!(matches!(Reader::new(&b""[..]), Err(ContainerError::NoHeader(0))));
    let noise: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(matches!(Reader::new(&noise[..]), Err(ContainerError::NoHeader(_))));
    // An endless input is given up.
    assert!(matches!(Reader::new(std::io::repeat(b'V')), Err(ContainerError::NoHeader(_))));
}
