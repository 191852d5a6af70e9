//! Level meters with a falling peak.

use super::theme;
use crate::engine::Telemetry;
use egui::{Align2, FontId, Rect, Ui, pos2, vec2};

/// Bottom of the scale.
const FLOOR_DB: f32 = -60.0;
/// Fall of the bar in dB a second.
const FALL_DB: f32 = 24.0;

/// Bars of input and output, up to two channels each.
pub struct Meters {
    bars: [[f32; 2]; 2],
}

impl Default for Meters {
    fn default() -> Self {
        Self { bars: [[FLOOR_DB; 2]; 2] }
    }
}

impl Meters {
    /// Draws the meters into `rect`.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, telemetry: &Telemetry, channels: usize) {
        let elapsed = ui.input(|i| i.stable_dt).min(0.2);
        for channel in 0..2 {
            let peaks = [telemetry.take_input_peak(channel), telemetry.take_output_peak(channel)];
            for (bars, peak) in self.bars.iter_mut().zip(peaks) {
                let db = 20.0 * peak.max(1e-6).log10();
                bars[channel] = (bars[channel] - FALL_DB * elapsed).max(db).max(FLOOR_DB);
            }
        }
        let half = rect.width() / 2.0;
        for (index, name) in ["In", "Out"].into_iter().enumerate() {
            let left = rect.left() + index as f32 * half;
            let area = Rect::from_min_size(pos2(left + 3.0, rect.top()), vec2(half - 6.0, rect.height() - 16.0));
            let width = area.width() / channels as f32;
            for (channel, &db) in self.bars[index].iter().take(channels).enumerate() {
                let bar = Rect::from_min_size(
                    pos2(area.left() + channel as f32 * width, area.top()),
                    vec2(width - 1.5, area.height()),
                );
                ui.painter().rect_filled(bar, 2.0, theme::UNUSED);
                let share = (1.0 - db / FLOOR_DB).clamp(0.0, 1.0);
                let lit = Rect::from_min_max(pos2(bar.left(), bar.bottom() - share * bar.height()), bar.max);
                let colour = if db >= -0.1 { theme::WARNING } else { theme::ACCENT };
                ui.painter().rect_filled(lit, 2.0, colour);
            }
            let at = pos2(area.center().x, rect.bottom());
            ui.painter().text(at, Align2::CENTER_BOTTOM, name, FontId::proportional(11.0), theme::FAINT);
        }
        let shown = self.bars.map(|bars| bars[0].max(bars[channels.saturating_sub(1).min(1)]));
        let text = format!("Peak level of input and output: {:.0} and {:.0} dBFS.", shown[0], shown[1]);
        ui.interact(rect, ui.scope_id().with("meters"), egui::Sense::hover()).on_hover_text(text);
    }
}
