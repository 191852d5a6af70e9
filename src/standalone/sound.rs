//! What sounds in the window: devices, source, and the way on when one of them fails.

use super::args::{HostChoice, RunArgs};
use super::clip::Clip;
use super::clock::Clock;
use super::devices::{DeviceError, Devices, Direction};
use super::kept::Kept;
use super::player::{Player, Transport};
use super::processor::Source;
use super::session::{DEFAULT_BLOCK, Parts, Play, Session, SessionError, Wanted, longer_blocks, start_loop};
use super::watch::{Trouble, Watch};
use std::path::Path;
use std::sync::Arc;

/// Messages kept.
const MESSAGES: usize = 4;

/// What runs.
pub enum Running {
    Devices(Box<Session>),
    /// The clip at the clock's pace, for nobody to hear.
    Clock {
        _clock: Clock,
        clip: Arc<Clip>,
        transport: Arc<Transport>,
    },
    Nothing,
}

/// The sound of the window.
pub struct Sound {
    pub parts: Parts,
    pub system: Option<HostChoice>,
    pub devices: Option<Devices>,
    pub wanted: Wanted,
    pub running: Running,
    /// Newest last.
    pub messages: Vec<String>,
    play: Play,
    /// Longest block that these devices came with.
    longest: u32,
    /// The devices and format that ran last.
    working: Wanted,
    watch: Watch,
    /// The output was muted because of the microphone, not by the user.
    muted_for_input: bool,
}

impl Sound {
    /// Starts what the command line asks for, or else what was `kept`, or what comes nearest.
    pub fn new(parts: Parts, args: &RunArgs, kept: Kept) -> Self {
        let (system, wanted) = kept.restore(args, &parts);
        let mut sound = Self {
            muted_for_input: parts.settings.muted() && !args.muted,
            parts,
            system,
            devices: None,
            wanted,
            running: Running::Nothing,
            messages: Vec::new(),
            play: Play::Input,
            longest: 0,
            working: Wanted::default(),
            watch: Watch::new(),
        };
        sound.refresh();
        match args.file() {
            Some(path) => sound.open_file(path),
            None => sound.restart(),
        }
        sound
    }

    /// What is to be kept for the next run.
    pub fn kept(&self) -> Kept {
        Kept::now(&self.parts, self.system, &self.wanted)
    }

    /// Whether the microphone is the source.
    pub fn plays_input(&self) -> bool {
        matches!(self.play, Play::Input)
    }

    /// The output was muted for the microphone's sake and still is.
    pub fn muted_for_input(&self) -> bool {
        self.muted_for_input && self.parts.settings.muted()
    }

    /// The user mutes or unmutes.
    pub fn set_muted(&mut self, muted: bool) {
        self.muted_for_input = false;
        self.parts.settings.set_muted(muted);
    }

    /// Asks the system for its devices again.
    pub fn refresh(&mut self) {
        self.devices = match Devices::list_preferred(self.system) {
            Ok(devices) => Some(devices),
            Err(e) => {
                self.say(e.to_string());
                None
            }
        };
    }

    /// Looks for devices again and starts.
    pub fn retry(&mut self) {
        self.longest = 0;
        self.messages.clear();
        self.refresh();
        self.restart();
    }

    /// Changes the sound system.
    pub fn set_system(&mut self, system: HostChoice) {
        self.system = Some(system);
        // Names and formats of one system mean nothing in another.
        self.wanted = Wanted::default();
        self.working = Wanted::default();
        self.retry();
    }

    /// Changes devices or format.
    pub fn set_wanted(&mut self, wanted: Wanted) {
        self.wanted = wanted;
        self.longest = 0;
        self.restart();
    }

    /// The input device becomes the source, muted.
    pub fn play_input(&mut self) {
        self.play = Play::Input;
        if !self.parts.settings.muted() {
            self.parts.settings.set_muted(true);
            self.muted_for_input = true;
        }
        self.restart();
    }

    /// A file becomes the source; if it can't be played, the source stays.
    pub fn open_file(&mut self, path: &Path) {
        match Clip::open(path) {
            Ok(clip) => self.play_clip(clip),
            Err(e) => {
                self.say(e.to_string());
                if matches!(self.running, Running::Nothing) {
                    self.restart();
                }
            }
        }
    }

    /// The clip inside the program becomes the source.
    pub fn play_bundled(&mut self) {
        match Clip::bundled() {
            Ok(clip) => self.play_clip(clip),
            Err(e) => self.say(e.to_string()),
        }
    }

    fn play_clip(&mut self, clip: Clip) {
        for note in &clip.notes {
            self.say(format!("{}: {note}", clip.name));
        }
        self.play = Play::Clip(Arc::new(clip), Transport::new(true));
        if self.muted_for_input() {
            self.set_muted(false);
        }
        self.restart();
    }

    /// The clip that is played, and its transport.
    pub fn clip(&self) -> Option<(&Arc<Clip>, &Arc<Transport>)> {
        match &self.running {
            Running::Devices(session) => session.clip.as_ref().map(|(clip, transport)| (clip, transport)),
            Running::Clock { clip, transport, .. } => Some((clip, transport)),
            Running::Nothing => None,
        }
    }

    /// Keeps things going; to be called for each frame of the window.
    pub fn poll(&mut self) {
        let Running::Devices(session) = &mut self.running else { return };
        let longest = session.needs_longer();
        match self.watch.check(session) {
            Some(Trouble::Note(text)) => self.say(text),
            Some(Trouble::Lost(why)) => {
                self.say(why);
                self.running = Running::Nothing;
                // The default device is the way on; the lost one may be chosen again when it is back.
                self.wanted = Wanted::default();
                self.working = Wanted::default();
                self.longest = 0;
                self.refresh();
                self.restart();
            }
            None => {
                if let Some(longest) = longest {
                    self.say(longer_blocks(longest));
                    self.longest = longest;
                    self.restart();
                }
            }
        }
    }

    /// Shows a text until the user closes it.
    pub fn say(&mut self, text: String) {
        // Said again it moves to the end.
        self.messages.retain(|said| *said != text);
        self.messages.push(text);
        if self.messages.len() > MESSAGES {
            self.messages.remove(0);
        }
    }

    /// Starts what is wanted, else what ran last, else the defaults, else the clip for nobody to hear.
    fn restart(&mut self) {
        // Another device may have another rate; another clip starts at its start.
        let position = self.position();
        self.running = Running::Nothing;
        let mut attempts = vec![self.wanted.clone()];
        for attempt in [self.working.clone(), Wanted::default()] {
            if !attempts.contains(&attempt) {
                attempts.push(attempt);
            }
        }
        for attempt in attempts {
            let Some(devices) = &self.devices else { break };
            match Session::open(devices, &attempt, self.longest, &self.play, &self.parts) {
                Ok(session) => {
                    self.started(session, attempt, position);
                    return;
                }
                Err(e) => {
                    let no_input = is_about_input(&e) && attempt == Wanted::default();
                    if !is_no_device(&e) {
                        self.say(e.to_string());
                    }
                    if no_input && self.plays_input() {
                        self.say("The input can't be used: the bundled clip is played.".to_string());
                        self.play_bundled();
                        return;
                    }
                }
            }
        }
        if let Err(e) = self.start_clock() {
            self.say(e.to_string());
        }
    }

    /// Where the clip that is still to be played stands, in seconds.
    fn position(&self) -> Option<f64> {
        let (clip, transport) = self.clip()?;
        let same = matches!(&self.play, Play::Clip(_, next) if Arc::ptr_eq(next, transport));
        same.then(|| transport.position() as f64 / f64::from(clip.sample_rate))
    }

    fn started(&mut self, session: Session, wanted: Wanted, position: Option<f64>) {
        if wanted != self.wanted {
            let (output, rate, block) = (&session.output, session.sample_rate, session.block);
            let text = format!("Instead, \"{output}\" runs at {rate} Hz with blocks of {block} samples.");
            self.say(text);
        }
        session.notes.iter().for_each(|note| self.say(note.clone()));
        if let (Some((clip, transport)), Some(seconds)) = (&session.clip, position) {
            transport.seek((seconds * f64::from(clip.sample_rate)) as usize);
        }
        self.working = wanted.clone();
        self.wanted = wanted;
        self.watch = Watch::new();
        self.running = Running::Devices(Box::new(session));
    }

    fn start_clock(&mut self) -> Result<(), SessionError> {
        let (clip, transport) = match &self.play {
            Play::Clip(clip, transport) => (clip.clone(), transport.clone()),
            Play::Input => (Arc::new(Clip::bundled()?), Transport::new(true)),
        };
        let player = Player::new(clip.clone(), transport.clone(), true);
        let processor = start_loop(Source::Clip(player), &self.parts, clip.sample_rate, DEFAULT_BLOCK as usize)?;
        let clock = Clock::start(processor, clip.sample_rate).map_err(crate::engine::EngineError::Thread)?;
        self.running = Running::Clock { _clock: clock, clip, transport };
        Ok(())
    }
}

/// There simply is none: the window says so in its own words.
fn is_no_device(error: &SessionError) -> bool {
    matches!(error, SessionError::Device(DeviceError::None { .. }))
}

fn is_about_input(error: &SessionError) -> bool {
    use DeviceError::{Ambiguous, None, Query, Unknown};
    let direction = match error {
        SessionError::Device(
            None { direction, .. } | Unknown { direction, .. } | Ambiguous { direction, .. } | Query { direction, .. },
        ) => *direction,
        SessionError::Open { direction, .. } => *direction,
        SessionError::NoCommonRate { .. } => Direction::Input,
        SessionError::Device(DeviceError::Host { .. })
        | SessionError::Clip(_)
        | SessionError::Engine(_)
        | SessionError::Rate { .. } => return false,
    };
    direction == Direction::Input
}
