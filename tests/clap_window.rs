//! The CLAP plug-in's window in a host nobody here wrote (clack-host), on an X server without a screen (Debian: xvfb). One test,
//! because a process has one environment.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/clap.rs"]
mod host;

use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, Window};
use host::Host;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, IoSlice};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt, CreateWindowAux, ImageFormat, KEY_PRESS_EVENT,
    KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::{COPY_DEPTH_FROM_PARENT, CURRENT_TIME};

const RATE: f64 = 44_100.0;
const EMBEDDED: GuiConfiguration = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
/// On a US keyboard, as Xvfb has one.
const A: u8 = 38;

/// An X server, and the host's window on it.
struct Screen {
    server: Child,
    name: String,
    connection: RustConnection,
    root: u32,
    window: u32,
}

impl Screen {
    fn new(width: u16, height: u16) -> Self {
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "1280x800x24"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = xvfb.spawn().expect("Xvfb, which cargo xtask test installs");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let name = format!(":{}", number.trim());
        let (connection, at) = x11rb::connect(Some(&name)).unwrap();
        let (window, root) = (connection.generate_id().unwrap(), connection.setup().roots[at].root);
        let (depth, class) = (COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        let aux = CreateWindowAux::new().background_pixel(0);
        connection.create_window(depth, window, root, 0, 0, width, height, 0, class, 0, &aux).unwrap();
        connection.map_window(window).unwrap();
        connection.flush().unwrap();
        Self { server, name, connection, root, window }
    }

    /// Number of colours in the host's window.
    fn colours(&self) -> usize {
        let size = self.connection.get_geometry(self.window).unwrap().reply().unwrap();
        let (format, planes) = (ImageFormat::Z_PIXMAP, u32::MAX);
        let image = self.connection.get_image(format, self.window, 0, 0, size.width, size.height, planes).unwrap();
        image.reply().unwrap().data.as_chunks::<4>().0.iter().collect::<HashSet<_>>().len()
    }

    /// Size of the plug-in's window in it.
    fn inside(&self) -> Option<(u16, u16)> {
        let tree = self.connection.query_tree(self.window).unwrap().reply().unwrap();
        let &child = tree.children.first()?;
        let size = self.connection.get_geometry(child).unwrap().reply().ok()?;
        Some((size.width, size.height))
    }

    /// XTEST's request FakeInput, by hand: with the feature of x11rb that knows it, each build of the plug-ins after the tests
    /// would make x11rb and all that stands on it once more.
    fn act(&self, kind: u8, detail: u8, (x, y): (i16, i16)) {
        const FAKE_INPUT: u8 = 2;
        let extension = self.connection.extension_information("XTEST").unwrap().expect("XTEST, which Xvfb has");
        let mut request = [0; 36];
        request[..2].copy_from_slice(&[extension.major_opcode, FAKE_INPUT]);
        request[2..4].copy_from_slice(&9u16.to_ne_bytes()); // its length in words
        request[4..6].copy_from_slice(&[kind, detail]);
        request[8..12].copy_from_slice(&CURRENT_TIME.to_ne_bytes());
        request[12..16].copy_from_slice(&self.root.to_ne_bytes());
        request[24..26].copy_from_slice(&x.to_ne_bytes());
        request[26..28].copy_from_slice(&y.to_ne_bytes());
        self.connection.send_request_without_reply(&[IoSlice::new(&request)], Vec::new()).unwrap();
        self.connection.flush().unwrap();
    }

    fn click(&self, at: (i16, i16)) {
        self.act(MOTION_NOTIFY_EVENT, 0, at);
        self.act(BUTTON_PRESS_EVENT, 1, at);
        self.act(BUTTON_RELEASE_EVENT, 1, at);
    }

    fn press(&self, key: u8) {
        self.act(KEY_PRESS_EVENT, key, (0, 0));
        self.act(KEY_RELEASE_EVENT, key, (0, 0));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn wait_until(what: &str, host: &mut Host, met: impl Fn(&mut Host) -> bool) {
    let started = Instant::now();
    while !met(host) {
        assert!(started.elapsed() < Duration::from_secs(60), "no sign of {what}");
        host.call_back();
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn open(host: &mut Host, screen: &Screen) {
    let (gui, handle) = host.gui();
    assert!(gui.is_api_supported(&handle, EMBEDDED));
    gui.create(&handle, EMBEDDED).unwrap();
    // SAFETY: the window lives longer than the plug-in's.
    unsafe { gui.set_parent(&handle, Window::from_x11_handle(screen.window.into())) }.unwrap();
    gui.show(&handle).unwrap();
}

#[test]
fn the_window_opens_takes_keys_and_sizes_closes_and_opens_again() {
    let screen = Screen::new(1200, 780);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clap-window");
    // SAFETY: nothing else runs in this process yet.
    unsafe {
        std::env::set_var("DISPLAY", &screen.name);
        std::env::remove_var("WAYLAND_DISPLAY");
        std::env::set_var("XDG_DATA_HOME", &folder);
        std::env::set_var("XDG_CONFIG_HOME", &folder);
    }
    let mut host = Host::offline(1, RATE, 512);
    let clip = common::demo_mono()[..4 * RATE as usize].to_vec();
    open(&mut host, &screen);
    wait_until("a window", &mut host, |_| screen.colours() > 50);
    let empty = screen.colours();
    host.run(std::slice::from_ref(&clip), &[512]);
    wait_until("sound on the map", &mut host, |_| screen.colours() > empty + 500);

    // Sound runs on, since a host hears of a parameter between blocks.
    assert_eq!(host.shown("Monitor"), "Decoded");
    screen.click((500, 300));
    screen.press(A);
    wait_until("the key's effect", &mut host, |host| {
        host.run(&[vec![0.0; 512]], &[512]);
        host.shown("Monitor") == "Dry"
    });

    let (gui, handle) = host.gui();
    assert!(gui.can_resize(&handle));
    let least = gui.adjust_size(&handle, GuiSize { width: 100, height: 100 }).unwrap();
    assert_eq!((least.width, least.height), (700, 450));
    gui.set_size(&handle, GuiSize { width: 800, height: 500 }).unwrap();
    wait_until("the other size", &mut host, |_| screen.inside() == Some((800, 500)));
    let size = |host: &mut Host| {
        let (gui, handle) = host.gui();
        gui.get_size(&handle).map(|size| (size.width, size.height))
    };
    assert_eq!(size(&mut host), Some((800, 500)));

    let (gui, handle) = host.gui();
    gui.destroy(&handle);
    wait_until("an empty window", &mut host, |_| screen.inside().is_none());
    open(&mut host, &screen);
    wait_until("another window", &mut host, |_| screen.inside() == Some((800, 500)) && screen.colours() > 50);
    let session = host.save();
    let (gui, handle) = host.gui();
    gui.destroy(&handle);
    drop(host);

    let mut other = Host::new();
    assert!(other.load(&session));
    assert_eq!(size(&mut other), Some((800, 500)), "the size is the session's");
}
