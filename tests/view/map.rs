//! The map: frozen, scrolled back and zoomed, and what its spectrogram shows.

use crate::view::{Bench, FRAME_RATE, raster::Painted, synthetic, talk};
use egui::{
    Color32, Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, Rect, TouchPhase, accesskit::Role, pos2,
    vec2,
};
use egui_kittest::kittest::{NodeT, Queryable};
use vrvq::editor::colours;
use vrvq::engine::{ChannelFrame, FrameReport, SPECTRUM_BANDS};

const WINDOW: (f32, f32) = (1000.0, 640.0);

/// Frames `range` of the talker.
fn talk_on(range: std::ops::Range<u64>) -> impl Iterator<Item = FrameReport> {
    range.map(|index| synthetic::report(index, 16.0, 2))
}

impl Bench {
    /// Where the rows of the map are.
    fn map(&self) -> Rect {
        let map = self.harness.query_by_role_and_label(Role::Image, "Map");
        map.unwrap_or_else(|| self.harness.get_by_label("Map, frozen")).rect()
    }

    /// The rows of the map as they are painted, without its uppermost part, where notes about it are.
    fn painted_map(&mut self) -> Painted {
        let (map, window) = (self.map(), self.window());
        let below = Rect::from_min_max(map.min + vec2(0.0, 40.0), map.max);
        self.paint().part(below.translate(-window.min.to_vec2()))
    }

    /// The same without the row of the bitrate, where the mean goes on.
    fn painted_frames(&mut self) -> Painted {
        let (map, window) = (self.map(), self.window());
        let above = Rect::from_min_max(map.min + vec2(0.0, 40.0), map.max - vec2(0.0, 80.0));
        self.paint().part(above.translate(-window.min.to_vec2()))
    }

    fn wheel(&mut self, at: Pos2, delta: f32, modifiers: Modifiers) {
        self.harness.hover_at(at);
        self.harness.event(Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, delta),
            phase: TouchPhase::Move,
            source: MouseWheelSource::Wheel,
            modifiers,
        });
        self.harness.run_steps(20);
    }

    /// The text on screen that contains `part`.
    fn told(&self, part: &str) -> String {
        let node = self.harness.query_all_by_label_contains(part).next();
        let text = node.and_then(|node| node.accesskit_node().label().or_else(|| node.accesskit_node().value()));
        text.unwrap_or_default()
    }

    /// Seconds on screen, told by what would be saved.
    fn seconds(&mut self) -> f64 {
        self.click("Save");
        for _ in 0..200 {
            let text = self.told("kept ");
            if !text.is_empty() {
                let frames: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
                self.click(&text);
                return frames / FRAME_RATE;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
            self.harness.run_steps(2);
        }
        panic!("nothing was saved");
    }
}

#[test]
fn a_map_that_is_frozen_before_it_is_full_stands_still_too() {
    let mut bench = Bench::new(WINDOW.0, WINDOW.1);
    bench.send(talk_on(0..200));
    bench.press(&[Key::F]);
    let frozen = bench.painted_frames();
    for frames in [200..260, 260..900, 900..2000] {
        bench.send(talk_on(frames));
        assert!(bench.painted_frames() == frozen, "new frames don't move a frozen map");
    }
}

#[test]
fn a_frozen_map_stands_still_until_it_is_live_again() {
    let mut bench = Bench::new(WINDOW.0, WINDOW.1);
    bench.send(talk_on(0..1200));
    let live = bench.painted_map();
    bench.press(&[Key::Space]);
    assert!(bench.shows("Frozen, 0.0 s ago: back to live"));
    let frozen = bench.painted_map();
    bench.send(talk_on(1200..1500));
    assert!(bench.painted_map() == frozen, "new frames don't move a frozen map");
    let ago = format!("Frozen, {:.1} s ago: back to live", 300.0 / FRAME_RATE);
    assert!(bench.shows(&ago), "{ago}");
    bench.click(&ago);
    assert!(!bench.shows("back to live"));
    bench.harness.run_steps(5);
    let now = bench.painted_map();
    assert!(now != live && now != frozen, "the newest frames are shown");
    for (name, then) in [("Freeze", true), ("Live", false)] {
        bench.click(name);
        assert_eq!(bench.shows("back to live"), then);
    }
    bench.press(&[Key::F]);
    assert!(bench.shows("back to live"));
    bench.press(&[Key::End]);
    assert!(!bench.shows("back to live"));
}

#[test]
fn three_minutes_can_be_scrolled_back_to() {
    let mut bench = Bench::new(WINDOW.0, WINDOW.1);
    let frames = 17_000;
    for start in (0..frames).step_by(2000) {
        bench.send(talk_on(start..(start + 2000).min(frames)));
    }
    bench.press(&[Key::Home]);
    let map = bench.map();
    bench.harness.hover_at(pos2(map.left() + 2.0, map.center().y));
    bench.harness.run_steps(4);
    let told = bench.told(" s ago, packed at level 16.0");
    let ago: f64 = told.split(' ').next().unwrap().parse().unwrap();
    assert!(ago >= 180.0, "{ago} s");
    // What is told of that frame is the report of that frame.
    let index = frames - 1 - (ago * FRAME_RATE).round() as u64;
    let near: Vec<String> =
        talk_on(index - 1..index + 2).map(|report| format!("{:.3}", report.frames[0].importance)).collect();
    assert!(near.iter().any(|importance| bench.shows(importance)), "{near:?}");
}

#[test]
fn wheel_and_drag_go_back_in_time_and_forward_to_live() {
    let mut bench = Bench::new(WINDOW.0, WINDOW.1);
    bench.send(talk_on(0..2000));
    let middle = bench.map().center();
    bench.wheel(middle, 300.0, Modifiers::NONE);
    assert!(bench.shows("Frozen, ") && !bench.shows("Frozen, 0.0 s"), "the wheel goes back");
    // The frame under the pointer is explained over the map.
    bench.harness.hover_at(pos2(1.0, 1.0));
    bench.harness.run_steps(4);
    let back = bench.painted_map();
    bench.harness.drag_at(middle);
    bench.harness.hover_at(middle + vec2(60.0, 0.0));
    bench.harness.hover_at(middle + vec2(120.0, 0.0));
    bench.harness.run_steps(2);
    bench.harness.drop_at(middle + vec2(120.0, 0.0));
    bench.harness.hover_at(pos2(1.0, 1.0));
    bench.harness.run_steps(4);
    let dragged = bench.painted_map();
    let (width, height) = (back.width, back.height);
    let same = (0..height)
        .flat_map(|y| (200..width).map(move |x| (x, y)))
        .filter(|(x, y)| dragged.pixels[y * width + x] == back.pixels[y * width + x - 120])
        .count();
    let share = same as f32 / (height * (width - 200)) as f32;
    assert!(share > 0.9, "the picture follows the pointer: {share}");
    bench.wheel(middle, -5000.0, Modifiers::NONE);
    assert!(!bench.shows("Frozen, "), "forward over the newest frame it is live");
}

#[test]
fn the_zoom_goes_from_two_seconds_to_a_minute() {
    for (width, height, pixels) in [(700.0, 450.0, 1.0), (1600.0, 1000.0, 2.0)] {
        let mut bench = Bench::at_scale(width, height, pixels);
        for start in (0..6000).step_by(2000) {
            bench.send(talk_on(start..start + 2000));
        }
        let middle = bench.map().center();
        for _ in 0..24 {
            bench.press(&[Key::Plus]);
        }
        let closest = bench.seconds();
        assert!((1.6..2.5).contains(&closest), "{closest} s at {width} x {height}");
        for _ in 0..30 {
            bench.press(&[Key::Minus]);
        }
        let widest = bench.seconds();
        assert!((50.0..70.0).contains(&widest), "{widest} s at {width} x {height}");
        bench.wheel(middle, 400.0, Modifiers::CTRL);
        let closer = bench.seconds();
        assert!(closer < 0.8 * widest, "Ctrl and wheel zoom: {closer} s after {widest} s");
        bench.click("Zoom in");
        assert!(bench.seconds() < closer);
        assert!(!bench.shows("Frozen, "), "a zoom doesn't freeze");
    }
}

#[test]
fn the_decoded_sound_and_the_difference_are_shown() {
    let mut bench = Bench::new(WINDOW.0, WINDOW.1);
    let level = |dry: f32, decoded: f32| {
        let spectra = ([dry; SPECTRUM_BANDS], [decoded; SPECTRUM_BANDS]);
        (0..900).map(move |index| FrameReport {
            index,
            spectrum: spectra.0,
            decoded_spectrum: spectra.1,
            noise_to_mask: [decoded - dry; SPECTRUM_BANDS],
            ..synthetic::report(index, 16.0, 1)
        })
    };
    // A pixel of the spectrogram.
    let pixel = |bench: &mut Bench| -> Color32 {
        let map = bench.map();
        let at = Rect::from_min_size(map.min - bench.window().min.to_vec2() + vec2(300.0, 60.0), vec2(1.0, 1.0));
        bench.paint().part(at).pixels[0]
    };
    bench.send(level(-40.0, -52.0));
    assert_eq!(pixel(&mut bench), colours::loudness(-40.0));
    bench.click("Show decoded");
    assert_eq!(pixel(&mut bench), colours::loudness(-52.0));
    bench.press(&[Key::V]);
    assert!(bench.shows("Show audible"));
    assert_eq!(pixel(&mut bench), colours::difference(-12.0), "softer");
    bench.send(level(-200.0, -110.0));
    assert_eq!(pixel(&mut bench), colours::difference(0.0), "what nobody could see is no difference");
    bench.send(level(-60.0, -50.0));
    assert_eq!(pixel(&mut bench), colours::difference(10.0), "louder");
    bench.press(&[Key::V]);
    assert!(bench.shows("Show input"));
    assert_eq!(pixel(&mut bench), colours::noise(10.0), "heard");
    bench.send(level(-50.0, -60.0));
    assert_eq!(pixel(&mut bench), colours::noise(0.0), "masked");
    bench.press(&[Key::V]);
    assert_eq!(pixel(&mut bench), colours::loudness(-50.0));
}

#[test]
fn a_map_that_was_closed_shows_what_comes_next() {
    let mut bench = Bench::new(WINDOW.0, WINDOW.1);
    bench.send(talk(800, 16.0, 1));
    let before = bench.painted_map();
    bench.press(&[Key::Space]);
    bench.harness.state_mut().0.closed();
    bench.harness.run_steps(2);
    assert!(!bench.shows("back to live"));
    bench.send(talk(800, 16.0, 1));
    assert!(bench.painted_map() == before);
}

#[test]
fn the_map_tells_its_last_second_to_screen_readers() {
    let mut bench = Bench::new(WINDOW.0, WINDOW.1);
    bench.send(talk_on(0..200));
    bench.harness.run_steps(120);
    let second: Vec<_> = talk_on(114..200).flat_map(|report| report.channel_frames().to_vec()).collect();
    let mean = |of: fn(&ChannelFrame) -> f64| second.iter().map(of).sum::<f64>() / second.len() as f64;
    let (importance, count) = (mean(|frame| frame.importance.into()), mean(|frame| frame.count.into()));
    let map = bench.harness.get_by_role_and_label(Role::Image, "Map");
    let told = map.accesskit_node().description().unwrap();
    let expected = format!("importance {importance:.2} and {count:.1} of 8 codebooks");
    assert!(told.contains(&expected), "{told}, not {expected}");
}
