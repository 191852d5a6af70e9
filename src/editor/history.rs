//! The frames of the last minutes.

use crate::engine::FrameReport;
use std::collections::VecDeque;
use std::ops::Range;

/// Frames that are kept: three minutes and a little more.
const KEPT: usize = 1 << 14;
/// Frames that are kept at most while the map is frozen, so that what it shows stays.
const KEPT_FROZEN: usize = 2 * KEPT;

/// The last frames, numbered as received.
pub struct History {
    reports: VecDeque<FrameReport>,
    received: u64,
    /// Codebooks and channels of the frames.
    layout: (usize, usize),
}

impl Default for History {
    fn default() -> Self {
        Self { reports: VecDeque::new(), received: 0, layout: (8, 1) }
    }
}

impl History {
    /// Takes in the next frame. One of another layout starts anew.
    pub fn push(&mut self, report: FrameReport, frozen: bool) {
        // A sum of two channels leaves the second one's row empty, rather than the map.
        let known = if report.index > 0 && self.received > 0 { self.layout.1 } else { 1 };
        let layout = (usize::from(report.codebooks.max(1)), report.channel_frames().len().max(known));
        if self.layout != layout {
            *self = Self { layout, ..Self::default() };
        }
        self.received += 1;
        self.reports.push_back(report);
        let most = if frozen { KEPT_FROZEN } else { KEPT };
        while self.reports.len() > most {
            self.reports.pop_front();
        }
    }

    /// The numbers of the frames that are kept.
    pub fn kept(&self) -> Range<u64> {
        self.received - self.reports.len() as u64..self.received
    }

    /// The report of a frame, where it is still kept.
    pub fn at(&self, frame: u64) -> Option<&FrameReport> {
        self.reports.get(usize::try_from(frame.checked_sub(self.kept().start)?).ok()?)
    }

    /// The reports of `frames`, oldest first.
    pub fn range(&self, frames: Range<u64>) -> impl Iterator<Item = &FrameReport> {
        let kept = self.kept();
        let place = |frame: u64| (frame.clamp(kept.start, kept.end) - kept.start) as usize;
        let (start, end) = (place(frames.start), place(frames.end));
        self.reports.range(start..end.max(start))
    }

    /// Frames received since the view was made.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Codebooks of the model.
    pub fn codebooks(&self) -> usize {
        self.layout.0
    }

    /// Channels on screen.
    pub fn channels(&self) -> usize {
        self.layout.1
    }
}
