//! `vrvq play`.

use super::args::PlayArgs;
use super::failure::{Failure, interruption};
use super::progress::{Progress, warn};
use crate::standalone::{PlayError, PlayOptions, Playback};
use std::time::Duration;

/// How often the meter moves.
const PERIOD: Duration = Duration::from_millis(50);
/// Time for the device to play what it was given last.
const TAIL: Duration = Duration::from_millis(200);
/// Width of the meter, and the level in dB at its left end.
const BARS: usize = 12;
const FLOOR_DB: f32 = -48.0;
/// What the meter falls by in a period, in dB.
const FALL_DB: f32 = 2.0;

impl super::failure::Named for PlayError {}

/// Runs the command.
///
/// # Errors
/// A file that can't be played, no device, an interruption.
pub fn run(args: &PlayArgs) -> Result<(), Failure> {
    let model = args.model.model.as_ref().map(|_| args.model.open()).transpose()?;
    let options = PlayOptions { system: args.host, device: args.output_device.clone(), model };
    for file in &args.files {
        play(Playback::start(file, &options)?, args.quiet)?;
    }
    Ok(())
}

fn play(mut playback: Playback, quiet: bool) -> Result<(), Failure> {
    let total = playback.seconds;
    let progress = Progress::new((1000.0 * total.unwrap_or(0.0)) as u64, quiet);
    let (mut told, mut levels) = (0, [FLOOR_DB; 2]);
    while !playback.over()? {
        interruption()?;
        let position = playback.position();
        let now = (1000.0 * position) as u64;
        progress.advance(now - told);
        told = now;
        let meters: String = (0..playback.channels)
            .map(|channel| {
                let peak = 20.0 * playback.take_peak(channel).max(1e-9).log10();
                levels[channel] = peak.max(levels[channel] - FALL_DB).max(FLOOR_DB);
                meter(levels[channel])
            })
            .collect();
        let of = total.map_or(String::new(), |total| format!("/{}", clock(total)));
        progress.doing(format!("{}{of}  {meters} {}", clock(position), playback.name));
        std::thread::sleep(PERIOD);
    }
    std::thread::sleep(TAIL);
    drop(progress);
    let (name, underruns) = (playback.name.clone(), playback.underruns());
    for note in playback.finish()? {
        warn(&format!("{name}: {note}"));
    }
    if underruns > 0 {
        warn(&format!("{name}: {underruns} interruptions, because this machine decoded too slowly"));
    }
    Ok(())
}

/// A level in dB as a bar.
fn meter(level: f32) -> String {
    let lit = ((level - FLOOR_DB) / -FLOOR_DB * BARS as f32).round().clamp(0.0, BARS as f32) as usize;
    format!("{}{} ", "▮".repeat(lit), "▯".repeat(BARS - lit))
}

fn clock(seconds: f64) -> String {
    format!("{}:{:02}", seconds as u64 / 60, seconds as u64 % 60)
}
