//! What is said over the whole window while files are held above it.

use egui::{Align2, Color32, Context, FontId};

/// Says what dropping them would do.
pub fn hovering(context: &Context, text: &str) {
    let (painter, area) = (context.debug_painter(), context.content_rect());
    painter.rect_filled(area, 0.0, Color32::from_black_alpha(170));
    painter.text(area.center(), Align2::CENTER_CENTER, text, FontId::proportional(22.0), Color32::WHITE);
}
