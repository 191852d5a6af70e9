//! How the codebooks are used by the frames on screen: which entries, how evenly, how often.

use super::history::History;
use super::{colours, theme};
use crate::codec::Usage;
use egui::{Align2, Mesh, Rect, Role, Sense, Shape, Ui, WidgetInfo, pos2};
use std::ops::Range;
use std::time::{Duration, Instant};

/// How often the figures are counted anew.
const PERIOD: Duration = Duration::from_millis(120);
/// Entries that share a bar of a histogram.
const ENTRIES_A_BAR: usize = 8;

const CODEBOOK_HINT: &str = "One codebook is a list of 1024 sounds. Bars: how often each was sent by the frames on \
                             screen, eight neighbours to a bar, in their hues. Entropy: the bits that a code is worth \
                             on average, 10 at most; the more evenly the entries are used, the more. Sent: the share \
                             of frames that used the codebook.";
const SUM_HINT: &str = "What a coder would need that knows how often each entry comes, and nothing else: the sum of all \
                        entropies, each by how often it is sent. What is sent is more, since every code costs 10 bits. \
                        From few frames it can't be told well: zoom out for more.";
const COUNT_HINT: &str = "How many codebooks the frames on screen used: the share of frames with one, two, up to all.";

/// The figures and what they were counted over.
#[derive(Default)]
pub struct Counted {
    usage: Option<Usage>,
    /// Bits of the frames on average, each channel on its own.
    mean_bits: f64,
    of: Option<(Range<u64>, Instant)>,
}

impl Counted {
    /// Counts the `frames`, unless that was just done.
    fn count(&mut self, history: &History, frames: Range<u64>) {
        let recent = self.of.as_ref().is_some_and(|(range, since)| {
            *range == frames || (since.elapsed() < PERIOD && range.start.abs_diff(frames.start) < 100)
        });
        if recent && self.usage.is_some() {
            return;
        }
        let mut usage = Usage::new(history.codebooks(), colours::CODEBOOK_SIZE);
        let mut bits = 0;
        for report in history.range(frames.clone()).filter(|report| !report.late) {
            bits += u64::from(report.bits());
            for frame in report.channel_frames() {
                usage.push(&frame.codes[..usize::from(frame.count).min(frame.codes.len())]);
            }
        }
        self.mean_bits = bits as f64 / usage.frames().max(1) as f64;
        self.usage = Some(usage);
        self.of = Some((frames, Instant::now()));
    }

    /// Draws the figures of `frames` over `rect`.
    pub fn show(&mut self, ui: &Ui, rect: Rect, scale: f32, history: &History, frames: Range<u64>) {
        self.count(history, frames);
        let Some(usage) = &self.usage else { return };
        let small = theme::text(10.5 * scale);
        let codebooks = usage.codebooks();
        let heading = 13.0 * scale;
        let height = ((rect.height() - 2.0 * heading - 44.0 * scale) / codebooks as f32).min(34.0 * scale);
        let columns = Columns::new(rect, scale);
        let painter = ui.painter();
        let head = |x: f32, align: Align2, text: &str| {
            painter.text(pos2(x, rect.top()), align, text, small.clone(), theme::ink().faint);
        };
        head(columns.bars.0, Align2::LEFT_TOP, "entries");
        head(columns.entropy, Align2::RIGHT_TOP, "entropy");
        head(columns.sent, Align2::RIGHT_TOP, "sent");
        for k in 0..codebooks {
            let top = rect.top() + heading + k as f32 * height;
            let row = Rect::from_min_max(pos2(rect.left(), top), pos2(rect.right(), top + height));
            codebook(ui, row, scale, &columns, usage, k);
        }
        let below = Rect::from_min_max(pos2(rect.left(), rect.top() + heading + codebooks as f32 * height), rect.max);
        self.sum(ui, Rect::from_min_max(below.min, pos2(below.right(), below.top() + heading)), scale);
        counts(ui, Rect::from_min_max(pos2(below.left(), below.top() + heading + 3.0), below.max), scale, usage);
    }

    fn sum(&self, ui: &Ui, row: Rect, scale: f32) {
        let Some(entropy) = self.usage.as_ref().and_then(Usage::frame_entropy_bits) else { return };
        let text = format!("{entropy:.1} bits a frame by entropy, {:.1} sent", self.mean_bits);
        ui.painter().text(row.left_center(), Align2::LEFT_CENTER, &text, theme::text(11.0 * scale), theme::ink().text);
        let response = ui.interact(row, ui.scope_id().with("entropy"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
        response.on_hover_text(SUM_HINT);
    }
}

/// Where the columns of the table are.
struct Columns {
    bars: (f32, f32),
    entropy: f32,
    sent: f32,
}

impl Columns {
    fn new(rect: Rect, scale: f32) -> Self {
        let sent = rect.right();
        let entropy = sent - 42.0 * scale;
        Self { bars: (rect.left() + 14.0 * scale, entropy - 46.0 * scale), entropy, sent }
    }
}

/// The row of codebook `k`.
fn codebook(ui: &Ui, row: Rect, scale: f32, columns: &Columns, usage: &Usage, k: usize) {
    let painter = ui.painter();
    let area = Rect::from_min_max(pos2(columns.bars.0, row.top() + 1.0), pos2(columns.bars.1, row.bottom() - 1.0));
    painter.rect_filled(area, 0.0, theme::ink().unused);
    let bars: Vec<u32> = usage.histogram(k).chunks(ENTRIES_A_BAR).map(|entries| entries.iter().sum()).collect();
    let most = bars.iter().copied().max().unwrap_or(0).max(1);
    let width = area.width() / bars.len() as f32;
    let mut mesh = Mesh::default();
    for (index, &times) in bars.iter().enumerate().filter(|(_, times)| **times > 0) {
        let left = area.left() + index as f32 * width;
        let top = area.bottom() - times as f32 / most as f32 * area.height();
        let bar = Rect::from_min_max(pos2(left, top), pos2(left + width, area.bottom()));
        mesh.add_colored_rect(bar, colours::code((index * ENTRIES_A_BAR + ENTRIES_A_BAR / 2) as u16));
    }
    painter.add(Shape::mesh(mesh));
    let font = theme::digits(11.0 * scale);
    let name = (k + 1).to_string();
    painter.text(row.left_center(), Align2::LEFT_CENTER, &name, font.clone(), theme::ink().faint);
    let entropy = usage.entropy_bits(k);
    let bits = entropy.map_or("–".to_owned(), |bits| format!("{bits:.1}"));
    let sent = format!("{:.0} %", 100.0 * usage.sent(k));
    let y = row.center().y;
    painter.text(pos2(columns.entropy, y), Align2::RIGHT_CENTER, bits, font.clone(), theme::ink().text);
    painter.text(pos2(columns.sent, y), Align2::RIGHT_CENTER, &sent, font, theme::ink().text);
    let response = ui.interact(row, ui.scope_id().with(("usage", k)), Sense::hover());
    let told = entropy.map_or("not used".to_owned(), |bits| format!("entropy {bits:.1} bits"));
    let seen = usage.histogram(k).iter().filter(|&&times| times > 0).count();
    let text = format!("Codebook {name}: {told}, {seen} entries, sent by {sent} of frames");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    response.on_hover_text(format!("{text}.\n\n{CODEBOOK_HINT}"));
}

/// Bars of the share of frames by their number of codebooks.
fn counts(ui: &Ui, area: Rect, scale: f32, usage: &Usage) {
    let codebooks = usage.codebooks();
    let width = area.width() / codebooks as f32;
    let label = 12.0 * scale;
    let painter = ui.painter();
    let font = theme::digits(10.0 * scale);
    let mut told = Vec::new();
    for n in 1..=codebooks {
        let share = usage.share_of_count(n);
        let left = area.left() + (n - 1) as f32 * width;
        let room = Rect::from_min_max(pos2(left + 1.0, area.top()), pos2(left + width - 1.0, area.bottom() - label));
        painter.rect_filled(room, 0.0, theme::ink().unused);
        let top = room.bottom() - share as f32 * room.height();
        painter.rect_filled(Rect::from_min_max(pos2(room.left(), top), room.max), 0.0, theme::ink().accent);
        let at = pos2(room.center().x, area.bottom());
        painter.text(at, Align2::CENTER_BOTTOM, n.to_string(), font.clone(), theme::ink().faint);
        let percent = format!("{:.0}", 100.0 * share);
        if room.height() > 14.0 * scale {
            let y = (top - 1.0).max(room.top() + 10.0 * scale);
            let colour = if y > top { theme::ink().background } else { theme::ink().text };
            painter.text(pos2(room.center().x, y), Align2::CENTER_BOTTOM, &percent, font.clone(), colour);
        }
        told.push(format!("{n}: {percent} %"));
    }
    let response = ui.interact(area, ui.scope_id().with("counts"), Sense::hover());
    let bits = usage.count_entropy_bits().map_or(String::new(), |bits| format!(", {bits:.1} bits of entropy"));
    let text = format!("Codebooks a frame, {}{bits}", told.join(", "));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    response.on_hover_text(format!("{text}.\n\n{COUNT_HINT}"));
}
