//! The blind test: A is the dry signal, B the decoded one, and X is one of them, drawn anew for each trial. Whoever
//! hears no difference is right half of the time; how likely a score is by that chance is what the test tells.

mod log;

pub use log::{LogError, save};

use crate::engine::Monitor;

/// One of the two that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The dry signal.
    A,
    /// The decoded signal.
    B,
}

impl Side {
    /// What is heard.
    pub fn monitor(self) -> Monitor {
        match self {
            Self::A => Monitor::Dry,
            Self::B => Monitor::Decoded,
        }
    }

    /// Its letter.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }
}

/// A trial that was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What X was.
    pub x: Side,
    /// What the listener took it for.
    pub answer: Side,
    /// When it was answered.
    pub time: time::OffsetDateTime,
    /// The codec's setting then, in words.
    pub setting: String,
}

impl Trial {
    /// Whether the answer was right.
    pub fn right(&self) -> bool {
        self.x == self.answer
    }
}

/// A test under way.
#[derive(Debug, Clone)]
pub struct BlindTest {
    x: Side,
    trials: Vec<Trial>,
}

impl Default for BlindTest {
    fn default() -> Self {
        Self { x: draw(), trials: Vec::new() }
    }
}

/// A fair coin, seeded by the system.
fn draw() -> Side {
    if fastrand::bool() { Side::A } else { Side::B }
}

impl BlindTest {
    /// What X is. Not for the listener's eyes.
    pub fn x(&self) -> Side {
        self.x
    }

    /// Keeps the answer to this trial, made at `setting`, and draws X anew. True where it was right.
    pub fn answer(&mut self, answer: Side, setting: String) -> bool {
        let trial = Trial { x: self.x, answer, time: time::OffsetDateTime::now_utc(), setting };
        let right = trial.right();
        self.trials.push(trial);
        self.x = draw();
        right
    }

    /// The trials so far, first to last.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// How many answers were right.
    pub fn right(&self) -> usize {
        self.trials.iter().filter(|trial| trial.right()).count()
    }

    /// Probability of as many right answers or more by guessing.
    pub fn chance(&self) -> f64 {
        chance(self.right(), self.trials.len())
    }
}

/// Probability of `right` or more heads in `trials` tosses of a fair coin: the one-sided binomial test.
pub fn chance(right: usize, trials: usize) -> f64 {
    // log2 of the binomial coefficient, grown factor by factor, so that no number of trials overflows.
    let mut coefficient = 0.0f64;
    let mut sum = 0.0;
    for heads in 0..=trials {
        if heads > 0 {
            coefficient += ((trials + 1 - heads) as f64 / heads as f64).log2();
        }
        if heads >= right {
            sum += (coefficient - trials as f64).exp2();
        }
    }
    sum.min(1.0)
}
