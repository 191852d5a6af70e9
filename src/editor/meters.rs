//! Level meters with a falling peak.

use super::theme;
use crate::engine::Telemetry;
use egui::{Align2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Bottom of the scale.
const FLOOR_DB: f32 = -60.0;
/// Level from which a bar changes its colour.
const LOUD_DB: f32 = -6.0;
/// Fall of the bar in dB a second.
const FALL_DB: f32 = 24.0;
/// Levels that the scale names.
const MARKS: [f32; 4] = [0.0, -12.0, -24.0, -48.0];

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
    /// Starts in a new window: what was loudest while nobody looked isn't told as now.
    pub fn start(&mut self, telemetry: &Telemetry) {
        *self = Self::default();
        for channel in 0..2 {
            telemetry.take_input_peak(channel);
            telemetry.take_output_peak(channel);
        }
    }

    /// Whether a bar still falls.
    pub fn moving(&self) -> bool {
        self.bars.iter().flatten().any(|&db| db > FLOOR_DB)
    }

    /// Draws the meters in the card `rect`. While a blind test runs the output's stays empty: its level could tell what X
    /// is.
    pub fn show(&mut self, ui: &Ui, rect: Rect, scale: f32, telemetry: &Telemetry, channels: usize, blind: bool) {
        // Not the stable time, which is that of a screen where the pace is slower.
        self.measure(ui.input(|i| i.unstable_dt).min(0.2), telemetry);
        if blind {
            self.bars[1] = [FLOOR_DB; 2];
        }
        ui.painter().rect_filled(rect, 6.0, theme::ink().panel);
        let inner = rect.shrink2(vec2(8.0, 7.0));
        let middle = 22.0 * scale;
        let width = ((inner.width() - middle) / 2.0).min(44.0 * scale);
        let column = |left: f32| {
            Rect::from_min_max(pos2(left, inner.top() + 2.0), pos2(left + width, inner.bottom() - 15.0 * scale))
        };
        let areas = [column(inner.center().x - middle / 2.0 - width), column(inner.center().x + middle / 2.0)];
        for ((area, name), bars) in areas.into_iter().zip(["In", "Out"]).zip(&self.bars) {
            bars_of(ui, area, &bars[..channels.clamp(1, 2)]);
            let at = pos2(area.center().x, inner.bottom() + 2.0);
            ui.painter().text(at, Align2::CENTER_BOTTOM, name, theme::text(11.5 * scale), theme::ink().faint);
        }
        for db in MARKS {
            let y = (areas[0].bottom() - share(db) * areas[0].height()).max(areas[0].top() + 4.0 * scale);
            let at = pos2(inner.center().x, y);
            ui.painter().text(
                at,
                Align2::CENTER_CENTER,
                format!("{db:.0}"),
                theme::text(10.0 * scale),
                theme::ink().faint,
            );
        }
        let loudest = self.bars.map(|bars| bars[0].max(bars[1]));
        let name = |db: f32| if db > FLOOR_DB { format!("{db:.0} dBFS") } else { "silent".to_owned() };
        let output = if blind { "hidden during the blind test".to_owned() } else { name(loudest[1]) };
        let text = format!("Peak level: input {}, output {output}", name(loudest[0]));
        let response = ui.interact(rect, ui.scope_id().with("meters"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
        response.on_hover_text(&text);
    }

    fn measure(&mut self, elapsed: f32, telemetry: &Telemetry) {
        for channel in 0..2 {
            let peaks = [telemetry.take_input_peak(channel), telemetry.take_output_peak(channel)];
            for (bars, peak) in self.bars.iter_mut().zip(peaks) {
                let db = 20.0 * peak.max(1e-6).log10();
                bars[channel] = (bars[channel] - FALL_DB * elapsed).max(db).max(FLOOR_DB);
            }
        }
    }
}

fn share(db: f32) -> f32 {
    (1.0 - db / FLOOR_DB).clamp(0.0, 1.0)
}

fn bars_of(ui: &Ui, area: Rect, bars: &[f32]) {
    let width = area.width() / bars.len() as f32;
    for (channel, &db) in bars.iter().enumerate() {
        let left = area.left() + channel as f32 * width;
        let bar = Rect::from_min_max(pos2(left, area.top()), pos2(left + width - 1.0, area.bottom()));
        ui.painter().rect_filled(bar, 2.0, theme::ink().grid.gamma_multiply(0.7));
        let lit = Rect::from_min_max(pos2(bar.left(), bar.bottom() - share(db) * bar.height()), bar.max);
        ui.painter().rect_filled(lit, 2.0, theme::ink().accent);
        if db > LOUD_DB {
            let base = bar.bottom() - share(LOUD_DB) * bar.height();
            let colour = if db >= -0.1 { theme::ink().warning } else { theme::ink().second };
            ui.painter().rect_filled(Rect::from_min_max(lit.min, pos2(bar.right(), base)), 2.0, colour);
        }
        ui.painter().hline(
            bar.x_range(),
            bar.bottom() - share(-12.0) * bar.height(),
            Stroke::new(1.0, theme::ink().panel),
        );
    }
}
