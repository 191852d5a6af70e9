//! The blind test: A and B are two of the dry signal and the two settings, and X is one of them, drawn anew for each
//! trial. Whoever hears no difference is right half of the time; how likely a score is by that chance is what the test
//! tells.

mod log;

pub use log::{LogError, save};

use crate::engine::{Slot, Source};

/// One of the two that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    A,
    B,
}

impl Side {
    /// Its letter.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }
}

/// What is compared: A and B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair(pub Source, pub Source);

impl Pair {
    /// All that can be compared.
    pub const ALL: [Self; 3] = [
        Self(Source::Dry, Source::Decoded(Slot::One)),
        Self(Source::Dry, Source::Decoded(Slot::Two)),
        Self(Source::Decoded(Slot::One), Source::Decoded(Slot::Two)),
    ];

    /// The dry signal and a setting.
    pub fn dry_and(slot: Slot) -> Self {
        Self(Source::Dry, Source::Decoded(slot))
    }

    /// What a side is.
    pub fn source(self, side: Side) -> Source {
        match side {
            Side::A => self.0,
            Side::B => self.1,
        }
    }
}

/// A trial that was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What was compared.
    pub pair: Pair,
    /// What X was.
    pub x: Side,
    /// What the listener took it for.
    pub answer: Side,
    /// When it was answered.
    pub time: time::OffsetDateTime,
    /// What A and B were then, in words.
    pub sides: [String; 2],
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
    pair: Pair,
    x: Side,
    trials: Vec<Trial>,
}

/// A fair coin, seeded by the system.
fn draw() -> Side {
    if fastrand::bool() { Side::A } else { Side::B }
}

impl BlindTest {
    /// A test that compares `pair`.
    pub fn new(pair: Pair) -> Self {
        Self { pair, x: draw(), trials: Vec::new() }
    }

    /// What is compared.
    pub fn pair(&self) -> Pair {
        self.pair
    }

    /// Compares `pair` from now on and draws X anew. The trials of other pairs stay in the log and don't count.
    pub fn compare(&mut self, pair: Pair) {
        (self.pair, self.x) = (pair, draw());
    }

    /// What X is. Not for the listener's eyes.
    pub fn x(&self) -> Side {
        self.x
    }

    /// Keeps the answer to this trial, of A and B as `sides` say, and draws X anew. True where it was right.
    pub fn answer(&mut self, answer: Side, sides: [String; 2]) -> bool {
        let time = time::OffsetDateTime::now_utc();
        let trial = Trial { pair: self.pair, x: self.x, answer, time, sides };
        let right = trial.right();
        self.trials.push(trial);
        self.x = draw();
        right
    }

    /// The trials so far, of all pairs, first to last.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// How many trials of this pair there were.
    pub fn count(&self) -> usize {
        self.of_pair().count()
    }

    /// How many of their answers were right.
    pub fn right(&self) -> usize {
        self.of_pair().filter(|trial| trial.right()).count()
    }

    /// Probability of as many right answers or more by guessing.
    pub fn chance(&self) -> f64 {
        chance(self.right(), self.count())
    }

    fn of_pair(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.pair == self.pair)
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
