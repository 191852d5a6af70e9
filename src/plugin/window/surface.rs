//! baseview's handler of an open window: events in, frames out. Some of baseview's calls come in the middle of others, so
//! events touch nothing that is held while a frame is drawn.

use super::input::Input;
use super::keys::Focus;
use super::link::Link;
use super::page::Page;
use super::painter::Painter;
use super::pointer;
use super::reader::Reader;
use arboard::Clipboard;
use baseview::{
    Event, EventStatus, HandlerError, MouseCursor, MouseEvent, TimerHandle, WindowContext, WindowEvent, WindowHandler,
    WindowSize,
};
use egui::{Context, FullOutput, OutputCommand};
use parking_lot::Mutex;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is asked whether a parameter was changed from outside.
const POLL: Duration = Duration::from_millis(16);

/// The window while it is open.
pub struct Surface {
    egui: Context,
    page: RefCell<Page>,
    input: RefCell<Input>,
    painter: RefCell<Painter>,
    reader: Reader,
    /// Opened when it is first needed; `None` where there is none.
    clipboard: RefCell<Option<Clipboard>>,
    cursor: Cell<MouseCursor>,
    /// As of the last frame.
    focus: Cell<Focus>,
    opened: Instant,
    poll: TimerHandle,
    link: Arc<Link>,
    /// In points.
    size: Arc<Mutex<(u32, u32)>>,
    window: WindowContext,
}

impl Surface {
    /// # Errors
    /// Where the window has no OpenGL.
    pub fn new(window: WindowContext, page: Page, link: Arc<Link>) -> Result<Self, HandlerError> {
        let painter = Painter::new(&window)?;
        let egui = Context::default();
        // Ctrl with + and − is the host's.
        egui.options_mut(|options| options.zoom_with_keyboard = false);
        let waker = window.waker();
        egui.set_request_repaint_callback(move |request| waker.request_redraw_after(request.delay));
        link.set_typing(false);
        Ok(Self {
            egui,
            size: page.size(),
            page: RefCell::new(page),
            input: RefCell::new(Input::new(window.size(), painter.max_texture_side())),
            painter: RefCell::new(painter),
            reader: Reader::new(&window),
            clipboard: RefCell::new(None),
            cursor: Cell::new(MouseCursor::Default),
            focus: Cell::default(),
            opened: Instant::now(),
            poll: window.create_timer(POLL)?,
            link,
            window,
        })
    }

    /// The clipboard's text, where it has one.
    fn paste(&self) -> Option<String> {
        self.clipboard(|clipboard| clipboard.get_text().ok())
    }

    fn clipboard<T>(&self, with: impl FnOnce(&mut Clipboard) -> Option<T>) -> Option<T> {
        let mut clipboard = self.clipboard.try_borrow_mut().ok()?;
        if clipboard.is_none() {
            *clipboard = Clipboard::new().ok();
        }
        clipboard.as_mut().and_then(with)
    }

    /// Does what the frame asks for beside being painted.
    fn obey(&self, output: &mut FullOutput) {
        for command in output.platform_output.commands.drain(..) {
            if let OutputCommand::CopyText(text) = command {
                self.clipboard(|clipboard| clipboard.set_text(text).ok());
            }
        }
        let cursor = pointer::cursor(output.platform_output.cursor_icon);
        // One that the system lacks leaves the old one.
        if self.cursor.replace(cursor) != cursor {
            let _ = self.window.set_mouse_cursor(cursor);
        }
    }
}

impl WindowHandler for Surface {
    fn draw(&self) -> Result<(), HandlerError> {
        let mut output = {
            // A host that handles the system's messages while it is told of a parameter may ask for a frame within this one.
            let Ok(mut page) = self.page.try_borrow_mut() else { return Ok(()) };
            let seconds = self.opened.elapsed().as_secs_f64();
            let input = self.input.borrow_mut().take(seconds, |events| {
                self.link.take_typed(events);
                self.reader.prepare(&self.egui, seconds, events);
            });
            self.egui.run_ui(input, |ui| page.ui(ui))
        };
        self.focus.set(match self.egui.memory(|memory| memory.focused()) {
            Some(_) if self.egui.text_edit_focused() => Focus::Text,
            Some(_) => Focus::Control,
            None => Focus::Nothing,
        });
        self.link.set_typing(self.focus.get() == Focus::Text);
        self.obey(&mut output);
        self.reader.read(&mut output);
        let (pixels, scale) = (self.window.size().physical, output.pixels_per_point);
        self.painter.borrow_mut().paint(&self.egui, output, [pixels.width, pixels.height], scale)
    }

    fn poll(&self) {
        if self.link.take_stale() {
            self.window.request_redraw();
        }
    }

    fn resized(&self, size: WindowSize) -> Result<(), HandlerError> {
        self.input.borrow_mut().resize(size);
        self.link.set_scale(size.scale_factor);
        // The session keeps it.
        *self.size.lock() = (size.logical.width.round() as u32, size.logical.height.round() as u32);
        Ok(())
    }

    fn on_event(&self, event: Event) -> EventStatus {
        // Hosts don't always give a plug-in's window the keyboard when it is clicked.
        if matches!(event, Event::Mouse(MouseEvent::ButtonPressed { .. })) && !self.window.has_focus() {
            let _ = self.window.focus();
        }
        match event {
            Event::Window(WindowEvent::Focused) => self.reader.focus(true),
            Event::Window(WindowEvent::Unfocused) => self.reader.focus(false),
            _ => {}
        }
        let (status, redraw) = self.input.borrow_mut().take_in(&event, self.focus.get(), || self.paste());
        if redraw {
            self.window.request_redraw();
        }
        status
    }

    fn on_timer(&self, timer: &TimerHandle) {
        if *timer == self.poll {
            self.poll();
        }
    }
}
