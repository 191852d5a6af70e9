//! The standalone app: sound devices or a file, the live loop, a window or a line of text.
//!
//! ```text
//! input device ─▶ bridge ─┐
//!                         ├▶ processor (loop, mute) ─▶ output device, or a clock where there is none
//! clip ─▶ player ─────────┘
//! ```
//!
//! The processor runs in the output callback; settings, transport and figures are atomics, errors come through a
//! ring. A change of device, rate, block or source stops the streams and starts new ones.

mod args;
mod bar;
mod bridge;
mod clip;
mod clock;
mod declick;
mod devices;
mod headless;
mod kept;
mod meter;
mod play;
mod player;
mod processor;
mod say;
mod session;
mod settings;
mod sound;
mod stats;
mod streams;
mod terminal;
mod track;
mod watch;
mod window;

use crate::engine::{DEFAULT_SAFETY_HOPS, ModelChoice, ReportReceiver, Slot, Telemetry};
use crate::interrupt;
use crate::model::{Library, choose_device};
use anyhow::{Result, bail};
pub use args::{HostChoice, RunArgs};
use devices::{Devices, Direction};
pub use play::{PlayError, PlayOptions, Playback};
use say::say;
use session::Parts;
use settings::Settings;
use std::process::ExitCode;

/// Runs the app.
pub fn main(args: &RunArgs) -> ExitCode {
    devices::silence_system_messages();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("vrvq: {}", full_text(&e));
            ExitCode::FAILURE
        }
    }
}

/// Text of all sound devices, for the terminal.
pub fn describe_devices() -> String {
    devices::silence_system_messages();
    devices::describe_all()
}

/// The error and its causes, without those that its text holds already.
fn full_text(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Model, figures and settings of a new loop.
fn parts(args: &RunArgs, muted: bool) -> Result<(Parts, ReportReceiver)> {
    choose_device(args.device)?;
    let (telemetry, reports) = Telemetry::new();
    let models = ModelChoice::new(Library::user(), telemetry.clone());
    if let Some(asked) = &args.model {
        models.choose(models.library().open(asked)?);
        models.copy(Slot::One);
    }
    let model = models.model()?;
    let settings = Settings::new(&args.setting(model.card()), args.safety.unwrap_or(DEFAULT_SAFETY_HOPS), muted);
    settings.set_level_match(args.level_match);
    Ok((Parts { models, telemetry, settings }, reports))
}

fn run(args: &RunArgs) -> Result<()> {
    if let Some(path) = args.file()
        && let Err(error) = std::fs::metadata(path)
    {
        // Before the window hides it; a word that is no command comes here too.
        let nor = if args.open.is_some() { ", nor is it a command" } else { "" };
        bail!("{}: {error}{nor}", path.display());
    }
    interrupt::watch(None);
    // A microphone through speakers howls; a file doesn't.
    let muted = args.muted || (!args.unmuted && args.file().is_none());
    if args.no_window {
        let (parts, reports) = parts(args, muted)?;
        return terminal::run(args, &parts, reports);
    }
    if !args.headless {
        let missing = match window::missing_display() {
            Some(why) => why.to_string(),
            None => {
                let (parts, reports) = parts(args, muted)?;
                match window::run(args, parts, reports) {
                    Ok(()) => return Ok(()),
                    Err(e) => format!("no window can be opened ({e})"),
                }
            }
        };
        say!("{missing}{}", missing_sound(args));
        say!("The loop runs on a clip instead, in real time, and what it decodes is written to a folder.");
    }
    let (parts, reports) = parts(args, false)?;
    headless::run(args, &parts, reports)
}

/// What else is missing beside a display.
fn missing_sound(args: &RunArgs) -> String {
    match Devices::list_preferred(args.host).and_then(|devices| devices.find(Direction::Output, None).map(|_| ())) {
        Ok(()) => String::new(),
        Err(e) => format!(", and {e}"),
    }
}
