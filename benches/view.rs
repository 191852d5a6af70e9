//! What drawing the view costs on this machine: `cargo xtask bench` runs it.
//!
//! A window of 1600 x 1000 at 60 frames a second while reports come at the model's rate: time of one pass of the view
//! and of turning its shapes into triangles, which is what the processor does whatever paints them, and how many
//! triangles and texels a frame hands on. Filling them is the graphics driver's; a driver in software (llvmpipe) does
//! that on the processor too, and isn't in these figures.

#[path = "../tests/common/view.rs"]
mod view;

use egui::epaint::{ImageData, Primitive};
use egui::{Event, Key, Modifiers, RawInput, Rect, pos2, vec2};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use view::{FRAME_RATE, Settings, synthetic};
use vrvq::editor::View;
use vrvq::engine::{LoopState, ReportSender, Telemetry, report_ring};

const SIZE: egui::Vec2 = vec2(1600.0, 1000.0);
const FRAMES_A_SECOND: f64 = 60.0;
const WARM_UP: usize = 60;
const FRAMES: usize = 600;

struct Window {
    context: egui::Context,
    view: View,
    controls: Settings,
    sender: ReportSender,
    telemetry: Arc<Telemetry>,
    time: f64,
    sent: u64,
}

impl Window {
    fn new() -> Self {
        let (sender, receiver) = report_ring(2048);
        let (telemetry, _) = Telemetry::new();
        telemetry.update_status(|status| {
            status.state = LoopState::Running;
            status.frame_rate = FRAME_RATE;
        });
        let view = View::new(receiver, telemetry.clone(), Arc::new(|_, _, _| String::new()));
        let controls = Settings::default();
        Self { context: egui::Context::default(), view, controls, sender, telemetry, time: 0.0, sent: 0 }
    }

    /// One frame: the time it took, its triangles and its new texels.
    fn frame(&mut self, events: Vec<Event>) -> (Duration, usize, usize) {
        self.time += 1.0 / FRAMES_A_SECOND;
        while (self.sent as f64) < self.time * FRAME_RATE {
            self.sender.send(synthetic::report(self.sent, 16.0, 2));
            self.sent += 1;
        }
        self.telemetry.raise_input_peak(0, 0.5);
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), SIZE)),
            time: Some(self.time),
            predicted_dt: (1.0 / FRAMES_A_SECOND) as f32,
            events,
            ..RawInput::default()
        };
        let started = Instant::now();
        let mut output = self.context.run_ui(input, |ui| self.view.ui(ui, &mut self.controls));
        let primitives = self.context.tessellate(output.shapes, output.pixels_per_point);
        let took = started.elapsed();
        let triangles = primitives.iter().map(|clipped| match &clipped.primitive {
            Primitive::Mesh(mesh) => mesh.indices.len() / 3,
            Primitive::Callback(_) => 0,
        });
        let texels = output.textures_delta.set.drain().flat_map(|(_, deltas)| deltas).map(|delta| match &delta.image {
            ImageData::Color(image) => image.pixels.len(),
        });
        let counts = (triangles.sum(), texels.sum());
        output.textures_delta.clear();
        black_box(&primitives);
        (took, counts.0, counts.1)
    }

    fn press(&mut self, key: Key, times: usize) {
        for pressed in [true, false].repeat(times) {
            let (physical_key, repeat, modifiers) = (None, false, Modifiers::NONE);
            self.frame(vec![Event::Key { key, physical_key, pressed, repeat, modifiers }]);
        }
    }

    fn measure(&mut self, name: &str) {
        (0..WARM_UP).for_each(|_| {
            self.frame(Vec::new());
        });
        let frames: Vec<_> = (0..FRAMES).map(|_| self.frame(Vec::new())).collect();
        let mut times: Vec<f64> = frames.iter().map(|frame| frame.0.as_secs_f64() * 1000.0).collect();
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        times.sort_by(f64::total_cmp);
        let mean_of = |count: fn(&(Duration, usize, usize)) -> usize| frames.iter().map(count).sum::<usize>() / FRAMES;
        println!(
            "| {name} | {:.2} ms | {mean:.2} ms | {:.2} ms | {:.1} % | {} | {} |",
            times[FRAMES / 2],
            times[FRAMES * 99 / 100],
            mean * FRAMES_A_SECOND / 10.0,
            mean_of(|frame| frame.1),
            mean_of(|frame| frame.2)
        );
    }
}

fn main() {
    println!("\n**View of {} x {} points, {FRAMES_A_SECOND} frames a second**\n", SIZE.x, SIZE.y);
    println!(
        "| what | median | mean | p99 | share of a core | triangles | new texels |\n|---|---|---|---|---|---|---|"
    );
    let mut window = Window::new();
    (0..600).for_each(|_| {
        window.frame(Vec::new());
    });
    window.measure("live");
    window.press(Key::V, 2);
    window.measure("difference");
    window.press(Key::H, 1);
    window.measure("with the codebooks' usage");
    window.press(Key::R, 1);
    window.measure("with rate and distortion");
    window.press(Key::Minus, 30);
    window.measure("with a minute on screen");
    window.press(Key::F, 1);
    window.measure("frozen");
    window.view.closed();
    assert!(!window.telemetry.view_open(), "closed, the loop sends nothing");
}
