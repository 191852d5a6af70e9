//! What is on screen as files.

use crate::synthetic;
use vrvq::engine::{FrameReport, NOISE_FLOOR_DB, StereoMode};
use vrvq::export::save;

#[test]
fn frames_become_a_picture_and_a_table() {
    let folder = std::env::temp_dir().join(format!("vrvq-export-{}", std::process::id()));
    let mut reports: Vec<FrameReport> = (0..200).map(|index| synthetic::report(index, 16.0, 2)).collect();
    reports.iter_mut().for_each(|report| report.stereo = StereoMode::MidSide);
    let exported = save(&reports, 44_100.0 / 512.0, "a test", &folder).unwrap();
    assert!(std::fs::read(&exported.picture).unwrap().starts_with(b"\x89PNG"));

    let table = std::fs::read_to_string(&exported.table).unwrap();
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("frame,seconds,channel,importance,codebooks,bits,rate,late,lost,noise_to_mask_db,codes")
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 400);
    let bits: u32 = rows.iter().map(|row| row[5].parse::<u32>().unwrap()).sum();
    assert_eq!(bits, reports.iter().map(FrameReport::bits).sum::<u32>(), "every bit is in the table");
    let (row, frame) = (&rows[2 * 86 + 1], &reports[86].frames[1]);
    assert_eq!((row[0], row[2], row[6]), ("86", "Side", "level 16.0"));
    let ratio = (10.0 * reports[86].distortion.noise_to_mask.log10()).max(NOISE_FLOOR_DB);
    assert_eq!(row[9], format!("{ratio:.1}"));
    assert!((row[1].parse::<f64>().unwrap() - 0.9985).abs() < 1e-3, "{}", row[1]);
    let codes: Vec<u16> = row[10].split(' ').map(|code| code.parse::<u16>().unwrap()).collect();
    assert_eq!(codes, frame.codes[..usize::from(frame.count)]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_cannot_be_saved_is_named() {
    let file = std::env::temp_dir().join(format!("vrvq-export-file-{}", std::process::id()));
    std::fs::write(&file, "in the way").unwrap();
    let error = save(&[synthetic::report(0, 16.0, 1)], 86.13, "", &file).unwrap_err().to_string();
    assert!(error.contains("vrvq-export-file") && error.contains("can't be written"), "{error}");
    std::fs::remove_file(&file).unwrap();
    assert!(save(&[], 86.13, "", &std::env::temp_dir()).is_err(), "no frames, no picture");
}
