//! The scrolling map: spectrogram, importance, codebooks and bitrate over time, newest at the right.

use super::axes::{self, Rows};
use super::history::History;
use super::pictures::{Picture, Pictures, Sound};
use super::trace::{Curve, Trace};
use super::viewport::{Span, Viewport};
use super::{curves, freeze, theme, tip};
use egui::{EventFilter, Key, Rect, Response, Role, Sense, Ui, WidgetInfo};

/// Seconds that an arrow key scrolls by, as a share of what is on screen.
const ARROW_SHARE: f64 = 0.1;
/// Points of the wheel that are one point of the map.
const WHEEL: f64 = 1.0;

/// The map and where in time it is.
pub struct Map {
    pub picture: Picture,
    pub sound: Sound,
    viewport: Viewport,
    pictures: Pictures,
    importance: Trace,
    bitrate: Trace,
    /// What is on screen, and where.
    span: Option<Span>,
    rows: Option<Rows>,
}

impl Default for Map {
    fn default() -> Self {
        Self {
            picture: Picture::default(),
            sound: Sound::default(),
            viewport: Viewport::default(),
            pictures: Pictures::default(),
            importance: Trace::new("vrvq importance"),
            bitrate: Trace::new("vrvq bitrate"),
            span: None,
            rows: None,
        }
    }
}

impl Map {
    /// Whether it stands still.
    pub fn frozen(&self) -> bool {
        self.viewport.frozen()
    }

    /// The window was closed: nothing is kept but what the user chose.
    pub fn closed(&mut self) {
        let Self { picture, sound, mut viewport, .. } = std::mem::take(self);
        viewport.restart();
        *self = Self { picture, sound, viewport, ..Self::default() };
    }

    /// What is on screen, once something was.
    pub fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }

    /// Where its rows are, once it was drawn.
    pub fn rows(&self) -> Option<&Rows> {
        self.rows.as_ref()
    }

    /// Draws the map over the whole of `rect`, at `rate` frames a second and a `mean` bitrate in kb/s. Hovering
    /// explains the frame under the pointer, holding stops the map, dragging and the wheel go back in time. True while
    /// it moves by itself.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, scale: f32, history: &History, (rate, mean): (f64, f64)) -> bool {
        let pixel = 1.0 / ui.pixels_per_point();
        let rows = Rows::new(rect, scale, history.codebooks(), history.channels(), pixel);
        let plot = rows.plot();
        let response = ui.interact(plot, ui.scope_id().with("map"), Sense::click_and_drag());
        let text = if self.frozen() { "Map, frozen" } else { "Map" };
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text));
        let held = response.is_pointer_button_down_on();
        // Not the stable time, which is that of a screen where the pace is slower.
        let elapsed = ui.input(|i| i.unstable_dt).min(0.2);
        let (before, _) = self.viewport.look(history.kept(), plot.width(), pixel, rate, true, 0.0);
        self.steer(ui, &response, &before, plot, pixel, history.received());
        let (span, moving) = self.viewport.look(history.kept(), plot.width(), pixel, rate, held, elapsed);

        let painter = ui.painter_at(plot);
        // The textures cover the rest.
        let first = span.at(plot, (span.columns().start * span.fold) as f64).clamp(plot.left(), plot.right());
        for row in rows.all() {
            painter.rect_filled(row.with_max_x(first), 0.0, theme::ink().panel);
        }
        let (above, below) = ((rows.spectrogram, self.sound), (rows.codes, self.picture));
        self.pictures.draw(&painter, history, &span, above, below);
        let kbps = curves::bitrate(history, &span);
        let top = axes::bitrate_top(history, rate).max(kbps.iter().fold(0.0, |top, &value| value.max(top)) * 1.02);
        let importance: Vec<Vec<f32>> =
            (0..history.channels()).map(|channel| curves::importance(history, &span, channel)).collect();
        let channels = importance.iter().enumerate().rev().map(|(channel, values)| Curve {
            values,
            colour: axes::channel_colour(channel),
            shaded: channel == 0,
        });
        self.importance.draw(&painter, rows.importance, &span, &channels.collect::<Vec<_>>(), 1.0);
        let bitrate = Curve { values: &kbps, colour: theme::ink().accent, shaded: true };
        self.bitrate.draw(&painter, rows.bitrate, &span, &[bitrate], top);
        axes::lines(&painter, &rows, history, self.picture, top, mean as f32);
        curves::mark(&painter, plot, history, &span, theme::ink().lost, |report| report.lost);
        curves::mark(&painter, plot, history, &span, theme::ink().warning, |report| report.late);
        axes::labels(ui, rect, &rows, history, (&mut self.picture, &mut self.sound), &span, scale, top);
        freeze::controls(ui, rect, scale, &mut self.viewport, history.received(), (plot.width(), pixel, rate));
        tip::show(ui, &response, &rows, history, &span);
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_description(tip::words(history, span.frames.end, rate));
        });
        freeze::pill(ui, plot, scale, &mut self.viewport, history.received(), rate);
        theme::focus_ring(ui, &response, plot, 0.0);
        self.span = Some(span);
        self.rows = Some(rows);
        moving
    }

    /// Drag, wheel and pinch over the map, and the arrow keys where it has the focus.
    fn steer(&mut self, ui: &Ui, response: &Response, span: &Span, plot: Rect, pixel: f32, received: u64) {
        let frames = |points: f64| points / f64::from(span.step);
        if response.dragged() {
            self.viewport.scroll(frames(f64::from(response.drag_delta().x)), received);
        }
        if response.hovered() {
            let (wheel, zoom) = ui.input(|i| (i.smooth_scroll_delta(), f64::from(i.zoom_delta())));
            self.viewport.scroll(frames(WHEEL * f64::from(wheel.x + wheel.y)), received);
            if zoom != 1.0 {
                let share = response.hover_pos().map_or(0.0, |at| (plot.right() - at.x) / plot.width());
                self.viewport.zoom(zoom, f64::from(share), span.rate);
            }
        }
        if response.clicked() {
            response.request_focus();
        }
        if response.has_focus() {
            let arrows = EventFilter { horizontal_arrows: true, ..Default::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        }
        if response.has_focus() || ui.memory(|memory| memory.focused().is_none()) {
            let pressed = |key| ui.input(|i| i.num_presses(key)) as f64;
            let page = frames(f64::from(plot.width()));
            let back = pressed(Key::ArrowLeft) - pressed(Key::ArrowRight);
            self.viewport.scroll(back * ARROW_SHARE * page, received);
            self.viewport.scroll((pressed(Key::PageUp) - pressed(Key::PageDown)) * page, received);
            if pressed(Key::Home) > 0.0 {
                self.viewport.scroll(received as f64, received);
            }
            if pressed(Key::End) > 0.0 {
                self.viewport.resume();
            }
        }
        freeze::keys(ui, response, &mut self.viewport, received, (plot.width(), pixel, span.rate));
    }
}
