//! Where files that the user asks for go, and how they are named.

use std::path::PathBuf;
use time::OffsetDateTime;

/// The folder for them: "VRVQ live" in the user's documents, or in the home folder where there are none.
pub fn folder() -> PathBuf {
    let user = directories::UserDirs::new();
    let documents = user.as_ref().map(|user| user.document_dir().unwrap_or(user.home_dir()).to_owned());
    documents.unwrap_or_else(std::env::temp_dir).join("VRVQ live")
}

/// The folder for recordings: "VRVQ live" in the user's music, or else in the documents.
pub fn recordings() -> PathBuf {
    let user = directories::UserDirs::new();
    let music = user.as_ref().and_then(|user| user.audio_dir()).filter(|music| music.is_dir());
    music.map_or_else(folder, |music| music.join("VRVQ live"))
}

/// `time` in UTC with `separators` between the parts of the date, before the clock, and between its parts.
pub fn stamp(time: OffsetDateTime, [date, middle, clock]: [&str; 3]) -> String {
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}{date}{month:02}{date}{day:02}{middle}{hour:02}{clock}{minute:02}{clock}{second:02}")
}

/// `time` as it stands in file names: `20260309-140500`.
pub fn file_stamp(time: OffsetDateTime) -> String {
    stamp(time, ["", "-", ""])
}
