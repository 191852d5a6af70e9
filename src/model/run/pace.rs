//! Whether several streams at once are faster than one after the other, found out by doing both.

use std::time::Duration;

/// Smoothing of the times, in runs.
const RUNS: f32 = 8.0;
/// Runs after which batches are tried again.
const RETRY: u32 = 512;

/// Times of a call alone and of a call's share of a batch, in seconds.
#[derive(Debug, Default)]
pub(super) struct Pace {
    alone: Option<f32>,
    shared: Option<f32>,
    runs: u32,
}

impl Pace {
    /// A run of `calls` calls took this long.
    pub fn took(&mut self, calls: usize, time: Duration) {
        let share = time.as_secs_f32() / calls as f32;
        let mean = if calls == 1 { &mut self.alone } else { &mut self.shared };
        *mean = Some(mean.map_or(share, |mean| mean + (share - mean) / RUNS));
        self.runs += 1;
        if self.runs.is_multiple_of(RETRY) {
            self.shared = None;
        }
    }

    /// Whether calls that wait together are run together.
    pub fn shares(&self) -> bool {
        self.alone.zip(self.shared).is_none_or(|(alone, shared)| shared <= alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_end_where_they_are_slower_and_are_tried_again() {
        let (mut pace, ms) = (Pace::default(), Duration::from_millis);
        assert!(pace.shares(), "as long as nothing is known");
        pace.took(1, ms(2));
        pace.took(3, ms(3));
        assert!(pace.shares(), "1 ms each instead of 2");
        (0..50).for_each(|_| pace.took(3, ms(12)));
        assert!(!pace.shares(), "4 ms each instead of 2");
        (0..RETRY).for_each(|_| pace.took(1, ms(2)));
        assert!(pace.shares());
    }
}
