//! Audio files: every format that is read, every format that is written, in line and of the right length.

use crate::common;
use std::path::{Path, PathBuf};
use vrvq::audio::{
    AudioFormat, AudioReader, AudioSpec, AudioWriter, Output, ReadError, SampleType, WriteError, coded_bits,
};
use vrvq::measure::{lag, si_sdr};

/// Where the coded clips begin in the bundled one, and how long they are: 1.5 s at 44.1 kHz.
const START: usize = 4 * 44_100;
const LENGTH: usize = 66_150;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

fn read(path: &Path) -> (u32, Vec<Vec<f32>>) {
    let mut reader = AudioReader::open(path).unwrap();
    let mut channels = vec![Vec::new(); reader.channels()];
    while let Some(planes) = reader.read().unwrap() {
        channels.iter_mut().zip(planes).for_each(|(channel, plane)| channel.extend_from_slice(plane));
    }
    assert!(reader.notes().is_empty(), "{:?}", reader.notes());
    (reader.sample_rate(), channels)
}

fn write(path: &Path, channels: &[Vec<f32>], sample_rate: u32, samples: SampleType) -> Result<u64, WriteError> {
    let format = AudioFormat::of(path).unwrap();
    let spec = AudioSpec { sample_rate, channels: channels.len(), samples, format, frames: None };
    let mut writer = AudioWriter::new(Output::create(path).unwrap(), spec)?;
    // In pieces that are no frame of any format.
    let length = channels[0].len();
    for start in (0..length).step_by(1777) {
        let end = (start + 1777).min(length);
        writer.write(&channels.iter().map(|channel| &channel[start..end]).collect::<Vec<_>>())?;
    }
    Ok(writer.finish()?.clipped)
}

#[test]
fn every_format_is_read_in_line_and_to_the_sample() {
    let [left, right] = common::demo();
    for (name, length, rate, least_db) in [
        ("clip.mp3", LENGTH, 44_100, 12.0),
        ("clip.ogg", LENGTH, 44_100, 12.0),
        ("clip.opus", LENGTH * 480 / 441, 48_000, 12.0),
    ] {
        let (sample_rate, channels) = read(&data(name));
        assert_eq!((sample_rate, channels.len()), (rate, 2), "{name}");
        assert_eq!(channels[0].len(), length, "{name}");
        let channels = vrvq::audio::resample(&channels, rate, 44_100).unwrap();
        for (channel, original) in channels.iter().zip([&left, &right]) {
            let original = &original[START..START + LENGTH];
            assert_eq!(lag(original, channel, 3000), 0, "{name}");
            let db = si_sdr(original, channel);
            assert!(db > least_db, "{name}: {db:.1} dB");
        }
        let reader = AudioReader::open(&data(name)).unwrap();
        let title = reader.tags().iter().find(|(key, _)| key == "TITLE");
        assert_eq!(title.map(|(_, value)| value.as_str()), Some("A short clip"), "{name}: {:?}", reader.tags());
        assert!(reader.frames().is_none_or(|frames| frames == length as u64), "{name}: {:?}", reader.frames());
    }
}

#[test]
fn bits_are_those_of_the_packets() {
    // 96 kb/s, and a file that is a little larger than its packets.
    let bits = coded_bits(&data("clip.mp3")).unwrap() as f64;
    assert!((bits / 1.5 / 96_000.0 - 1.0).abs() < 0.1, "{bits}");
    let opus = coded_bits(&data("clip.opus")).unwrap();
    let file = std::fs::metadata(data("clip.opus")).unwrap().len() * 8;
    assert!(opus < file && opus > file / 2, "{opus} of {file}");
}

#[test]
fn what_is_written_is_read_again() {
    let folder = folder("audio-written");
    let [left, right] = common::demo();
    let stereo = vec![left[..50_001].to_vec(), right[..50_001].to_vec()];
    let six: Vec<Vec<f32>> = (0..6).map(|c| left[c * 1000..][..9000].to_vec()).collect();
    for (name, samples, step) in [
        ("16.wav", SampleType::Int16, 1.0 / 32_768.0),
        ("24.wav", SampleType::Int24, 1.0 / 8_388_608.0),
        ("32.wav", SampleType::Float32, 0.0),
        ("16.flac", SampleType::Int16, 1.0 / 32_768.0),
        ("24.flac", SampleType::Int24, 1.0 / 8_388_608.0),
    ] {
        for (channels, rate) in [(&stereo, 48_000), (&stereo[..1].to_vec(), 8000), (&six, 44_100), (&stereo, 96_000)] {
            let path = folder.join(name);
            assert_eq!(write(&path, channels, rate, samples).unwrap(), 0);
            let (sample_rate, again) = read(&path);
            assert_eq!((sample_rate, again.len()), (rate, channels.len()), "{name}");
            for (a, b) in again.iter().zip(channels) {
                let difference = common::largest_difference(a, b);
                assert!(difference <= 0.5001 * step, "{name}: {difference}");
            }
        }
    }
    // No temporary name is left.
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 5);
}

#[test]
fn flac_states_its_length_and_checksum() {
    let folder = folder("audio-flac");
    let path = folder.join("short.flac");
    let [left, _] = common::demo();
    write(&path, &[left[..10_000].to_vec()], 44_100, SampleType::Int16).unwrap();
    assert_eq!(AudioReader::open(&path).unwrap().frames(), Some(10_000));
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes[26..42].iter().any(|&byte| byte != 0), "no checksum");
    assert!(bytes.len() < 20_000, "no smaller than the samples: {} bytes", bytes.len());
}

#[test]
fn what_is_too_loud_is_clipped_and_counted() {
    let path = folder("audio-loud").join("loud.wav");
    let clipped = write(&path, &[vec![0.5, 1.5, -2.0, 1.0]], 44_100, SampleType::Int16).unwrap();
    assert_eq!(clipped, 2);
    assert_eq!(read(&path).1[0][1..], [32_767.0 / 32_768.0, -1.0, 32_767.0 / 32_768.0]);
}

#[test]
fn an_output_that_isnt_finished_leaves_nothing() {
    let folder = folder("audio-unfinished");
    let path = folder.join("song.wav");
    std::fs::write(&path, b"what was there before").unwrap();
    let spec = AudioSpec {
        sample_rate: 44_100,
        channels: 1,
        samples: SampleType::Int16,
        format: AudioFormat::Wav,
        frames: None,
    };
    let mut writer = AudioWriter::new(Output::create(&path).unwrap(), spec).unwrap();
    writer.write(&[vec![0.0; 100_000]]).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    drop(writer);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    assert_eq!(std::fs::read(&path).unwrap(), b"what was there before");
}

#[test]
fn what_cannot_be_is_named() {
    let folder = folder("audio-errors");
    let garbage = folder.join("garbage.mp3");
    std::fs::write(&garbage, vec![b'x'; 5000]).unwrap();
    let error = AudioReader::open(&garbage).err().expect("no audio").to_string();
    assert!(error.contains("garbage.mp3") && error.contains("FLAC"), "{error}");
    assert!(matches!(AudioReader::open(&folder), Err(ReadError::Open { .. })));
    assert!(matches!(AudioReader::open(&folder.join("absent.wav")), Err(ReadError::Open { .. })));
    let long = AudioSpec {
        sample_rate: 44_100,
        channels: 2,
        samples: SampleType::Int16,
        format: AudioFormat::Wav,
        frames: Some(10 * 3600 * 44_100),
    };
    let error = AudioWriter::new(Output::create(&folder.join("ten-hours.wav")).unwrap(), long).err().expect("too long");
    assert!(error.to_string().contains("FLAC"), "{error}");
    let flac = AudioSpec { format: AudioFormat::Flac, samples: SampleType::Float32, ..long };
    assert!(AudioWriter::new(Output::create(&folder.join("float.flac")).unwrap(), flac).is_err());
    assert!(Output::create(&folder.join("no-such-folder/file.wav")).is_err());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_cut_off_gives_what_it_has_and_says_so() {
    let folder = folder("audio-cut");
    for name in ["clip.mp3", "clip.ogg", "clip.opus"] {
        let bytes = std::fs::read(data(name)).unwrap();
        for share in [0.3, 0.6, 0.9] {
            let path = folder.join(name);
            std::fs::write(&path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
            if let Ok(mut reader) = AudioReader::open(&path) {
                let mut samples = 0;
                while let Some(planes) = reader.read().unwrap() {
                    samples += planes[0].len();
                }
                assert!(samples < LENGTH * 480 / 441, "{name}: {samples}");
            }
        }
    }
}

#[test]
fn a_damaged_file_gives_what_it_has_and_says_what_is_missing() {
    let folder = folder("audio-damaged");
    let flac = folder.join("clip.flac");
    let [left, _] = common::demo();
    write(&flac, &[left[..88_200].to_vec()], 44_100, SampleType::Int16).unwrap();
    for original in [data("clip.mp3"), data("clip.ogg"), data("clip.opus"), flac] {
        let bytes = std::fs::read(&original).unwrap();
        let whole = read(&original).1[0].len();
        let path = folder.join(format!("damaged.{}", original.extension().unwrap().display()));
        for at in (200..bytes.len()).step_by(bytes.len() / 20) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x5a;
            std::fs::write(&path, &damaged).unwrap();
            let Ok(mut reader) = AudioReader::open(&path) else { continue };
            let mut samples = 0;
            while let Ok(Some(planes)) = reader.read() {
                samples += planes[0].len();
            }
            // Frames of MP3 don't count themselves, and the last page of Ogg is taken to follow the one before.
            let pages = (0..bytes.len()).filter(|&from| bytes[from..].starts_with(b"OggS"));
            let untold =
                original.extension() == Some("mp3".as_ref()) || pages.rev().nth(1).is_some_and(|from| at > from);
            assert!(
                samples == whole || untold || !reader.notes().is_empty(),
                "{}, byte {at}: {samples} of {whole}",
                path.display()
            );
        }
    }
}

/// An hour into a radio station's stream, where pages count from its start.
#[test]
fn a_part_of_a_longer_stream_is_whole() {
    let mut bytes = std::fs::read(data("clip.ogg")).unwrap();
    let pages: Vec<usize> = (0..bytes.len()).filter(|&from| bytes[from..].starts_with(b"OggS")).collect();
    for (index, &from) in pages.iter().enumerate() {
        let to = pages.get(index + 1).copied().unwrap_or(bytes.len());
        let page = &mut bytes[from..to];
        let position = i64::from_le_bytes(page[6..14].try_into().unwrap());
        if position > 0 {
            page[6..14].copy_from_slice(&(position + 3600 * 44_100).to_le_bytes());
        }
        // Ogg's checksum: polynomial 04c11db7, highest bit first, over the page with zeros in its place.
        page[22..26].fill(0);
        let shifted = |sum: u32, _| if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
        let sum = page.iter().fold(0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte) << 24, shifted));
        page[22..26].copy_from_slice(&sum.to_le_bytes());
    }
    let path = folder("audio-part").join("part.ogg");
    std::fs::write(&path, &bytes).unwrap();
    // No note is left.
    let (whole, part) = (read(&data("clip.ogg")).1, read(&path).1);
    assert!(part[0].len().abs_diff(whole[0].len()) < 4096, "{} of {}", part[0].len(), whole[0].len());
}
