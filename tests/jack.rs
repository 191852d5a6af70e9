//! The app under a JACK server: audio in at one port, decoded audio out of the other.
//!
//! The test is a JACK client of its own, behind the app and before it, so that it sees the round trip to the sample.
//! It needs `jackd` (Debian: jackd2); `VRVQ_JACK_SECONDS` sets how long it runs (10 by default), `VRVQ_JACK_APP` which build of the app.

// The server is started and stopped as Unix does.
#![cfg(unix)]

use jack::{AudioIn, AudioOut, Client, ClientOptions, Control, NotificationHandler, PortFlags};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const RATE: usize = 48_000;
const BLOCK: usize = 256;
/// The input buffer may slip a few samples after the start.
const SETTLED: usize = 4 * RATE;
/// On a busy machine JACK's own cycles and the codec's frames are late, and what is lost then is lost for everybody: runs
/// until one is free of that.
const RUNS: usize = 3;
/// Longest round trip looked for.
const LONGEST: usize = 12_000;

/// Ends a process that the test started, whatever becomes of the test: first politely, for a JACK server that is
/// killed stays in the registry of servers, which holds eight.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        signal(&self.0, libc::SIGTERM);
        let started = Instant::now();
        while self.0.try_wait().is_ok_and(|ended| ended.is_none()) && started.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(child: &Child, signal: i32) -> bool {
    // SAFETY: the child has not been waited for, so the number is still its own.
    unsafe { libc::kill(child.id() as i32, signal) == 0 }
}

/// A voice-like signal that doesn't repeat: harmonics of a wandering pitch, swelling and fading, and a little noise.
struct Voice {
    time: usize,
    phase: f64,
    noise: u32,
}

impl Iterator for Voice {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        let t = self.time as f64 / RATE as f64;
        self.time += 1;
        let pitch = 160.0 + 40.0 * (t * 1.9).sin() + 25.0 * (t * 0.73).sin();
        self.phase += pitch / RATE as f64;
        let turn = std::f64::consts::TAU * self.phase;
        let harmonics: f64 = (1..=12).map(|k| (turn * f64::from(k)).sin() / f64::from(k)).sum();
        self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(self.noise >> 8) / f64::from(1 << 24) - 0.5;
        let swell = 0.6 + 0.4 * (t * 7.0).sin();
        Some((0.18 * swell * harmonics + 0.002 * noise) as f32)
    }
}

fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Lines of a stream, as they come.
fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|l| sender.send(l)));
    receiver
}

/// Number before a word of a line, such as 2304 in "latency of the loop 2304 samples".
fn number_before(line: &str, word: &str) -> usize {
    let words: Vec<&str> = line.split([' ', ',']).filter(|w| !w.is_empty()).collect();
    let at = words.windows(word.split(' ').count() + 1).find(|w| w[1..].join(" ") == word);
    at.and_then(|w| w[0].parse().ok()).unwrap_or_else(|| panic!("no number before \"{word}\" in: {line}"))
}

/// Lag of `output` behind `input` with the highest normalized correlation, and that correlation.
fn best_lag(input: &[f32], output: &[f32], lags: std::ops::Range<usize>) -> (usize, f64) {
    let energy = |x: &[f32]| x.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>().max(1e-12);
    let frames = output.len() - lags.end;
    let output = &output[lags.end..];
    lags.clone()
        .map(|lag| {
            let input = &input[lags.end - lag..][..frames];
            let product: f32 = input.iter().zip(output).map(|(a, b)| a * b).sum();
            (lag, f64::from(product) / (energy(input) * energy(output)).sqrt())
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or_default()
}

/// Counts the cycles that the server lost.
struct Xruns(Arc<AtomicUsize>);

impl NotificationHandler for Xruns {
    fn xrun(&mut self, _: &Client) -> Control {
        self.0.fetch_add(1, Relaxed);
        Control::Continue
    }
}

/// One run of the app.
struct Run {
    sent: Vec<f32>,
    got: Vec<f32>,
    /// Latency that the app told, and its last line.
    latency: usize,
    last: String,
    xruns: usize,
}

fn connect() -> Option<Client> {
    Client::new("vrvq-test", ClientOptions::NO_START_SERVER).ok().map(|(client, _)| client)
}

fn run(seconds: usize) -> Run {
    let client = wait_for("the JACK server", connect);
    assert_eq!((client.sample_rate() as usize, client.buffer_size() as usize), (RATE, BLOCK));
    // The measurement may be of another build of the app, one in release.
    let app = std::env::var_os("VRVQ_JACK_APP").unwrap_or(env!("CARGO_BIN_EXE_vrvq").into());
    let app = Command::new(app)
        .args(["--host", "jack", "--no-window", "--unmuted", "--level", "24"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the app starts");
    let mut app = Running(app);
    let output = lines(app.0.stdout.take().expect("a piped output"));
    let mut said = Vec::new();
    let latency = wait_for("the app to tell its latency", || {
        said.extend(output.try_iter());
        let ended = app.0.try_wait().expect("the app can be asked");
        assert!(ended.is_none(), "the app ended: {ended:?}, it said {said:#?}");
        said.iter().find(|line| line.contains("latency of the loop")).map(|line| number_before(line, "samples"))
    });

    let frames = seconds * RATE;
    let play = client.register_port("play", AudioOut::default()).expect("a port");
    let record = client.register_port("record", AudioIn::default()).expect("a port");
    let (mut sent, mut sent_end) = rtrb::RingBuffer::<f32>::new(frames + RATE);
    let (mut got, mut got_end) = rtrb::RingBuffer::<f32>::new(frames + RATE);
    let mut ports = (play, record);
    let mut voice = Voice { time: 0, phase: 0.0, noise: 1 };
    let process = jack::contrib::ClosureProcessHandler::new(move |_: &Client, scope: &jack::ProcessScope| {
        for (sample, recorded) in ports.0.as_mut_slice(scope).iter_mut().zip(ports.1.as_slice(scope)) {
            *sample = voice.next().unwrap_or_default();
            let _ = (sent.push(*sample), got.push(*recorded));
        }
        Control::Continue
    });
    let xruns = Arc::new(AtomicUsize::new(0));
    let active = client.activate_async(Xruns(xruns.clone()), process).expect("the test's client starts");
    let client = active.as_client();
    let own = |name: &str| format!("{}:{name}", client.name());
    let app_ports = |flags| client.ports(Some(&format!("cpal_client_{}_", app.0.id())), None, flags);
    let (inputs, outputs) = (app_ports(PortFlags::IS_INPUT), app_ports(PortFlags::IS_OUTPUT));
    assert!(!inputs.is_empty() && !outputs.is_empty(), "the app's ports: {inputs:?} {outputs:?}");
    for input in &inputs {
        client.connect_ports_by_name(&own("play"), input).expect("the app's input is connected");
    }
    client.connect_ports_by_name(&outputs[0], &own("record")).expect("the app's output is connected");

    // Connecting may cost a cycle.
    std::thread::sleep(Duration::from_millis(500));
    xruns.store(0, Relaxed);
    wait_until(seconds * 2 + 10, || got_end.slots() >= frames);
    let xruns = xruns.load(Relaxed);
    drop(active.deactivate());
    assert!(signal(&app.0, libc::SIGINT), "the app can't be interrupted");
    let status = app.0.wait().expect("the app ends");
    said.extend(output.iter());
    assert!(status.success(), "{status}: {said:#?}");
    let drain = |ring: &mut rtrb::Consumer<f32>| std::iter::from_fn(|| ring.pop().ok()).take(frames).collect();
    let (sent, got) = (drain(&mut sent_end), drain(&mut got_end));
    Run { sent, got, latency, last: said.pop().expect("the app says something"), xruns }
}

fn wait_until(seconds: usize, ready: impl Fn() -> bool) {
    let started = Instant::now();
    while !ready() {
        assert!(started.elapsed().as_secs() < seconds as u64, "waited in vain for audio");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn audio_goes_through_the_app_at_the_reported_latency() {
    let asked: Option<usize> = std::env::var("VRVQ_JACK_SECONDS").ok().and_then(|s| s.parse().ok());
    let (seconds, asked) = (asked.unwrap_or(10), asked.is_some());
    let server = format!("vrvq-test-{}", std::process::id());
    // -S: the server waits for its clients where it can, instead of going on without them. Real-time priority is
    // tried, because the app's codec thread has it too where the system grants it.
    let arguments = ["-n", &server, "-S", "-d", "dummy", "-r", "48000", "-p", "256"];
    let jackd = Command::new("jackd").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _jackd = Running(jackd.expect("jackd can't be started; install it (Debian: apt-get install jackd2)"));
    // SAFETY: this file has one test, and no other thread of it runs yet.
    unsafe { std::env::set_var("JACK_DEFAULT_SERVER", &server) };

    for attempt in 1..=RUNS {
        let run = run(seconds.max(8));
        println!("run {attempt}: latency of the loop {}, {} lost cycles; {}", run.latency, run.xruns, run.last);
        let late = number_before(&run.last, "late frames");
        let verdict = if late > 0 { Err(format!("late frames: {}", run.last)) } else { judge(&run) };
        match verdict {
            Ok(()) => return,
            Err(why) if (run.xruns > 0 || late > 0) && attempt < RUNS => {
                println!("once more, on a busy machine: {why}")
            }
            // A measurement that was asked for (for a minute, say) must be free of late frames; in a run of all tests a
            // machine that is too slow for the codec says nothing about it.
            Err(why) if late > 0 && !asked => println!("too busy to judge: {why}"),
            Err(why) => panic!("{why} (JACK lost {} cycles)", run.xruns),
        }
    }
}

fn judge(run: &Run) -> Result<(), String> {
    let window = 3 * RATE / 2;
    let at = |from: usize, lags| best_lag(&run.sent[from..from + window], &run.got[from..from + window], lags);
    let (lag, likeness) = at(SETTLED, 0..LONGEST);
    println!("measured {lag} samples at a correlation of {likeness:.3}");
    if likeness < 0.6 {
        return Err(format!("what comes out isn't what went in: {likeness} at {lag} samples"));
    }
    let waiting = number_before(&run.last.replace("input buffer ", ""), "samples");
    // Input and output are two JACK clients: whether the output's turn comes before the input's makes one block.
    let devices = lag as i64 - run.latency as i64 - waiting as i64;
    let told = format!("{lag} measured, {} of the loop and {waiting} in the input buffer", run.latency);
    if ![-(BLOCK as i64), 0, BLOCK as i64].contains(&devices) {
        return Err(told);
    }
    // The same at the end: nothing drifted, nothing was lost.
    let (lag_end, likeness_end) = at(run.got.len() - window, lag - 100..lag + 100);
    println!("{told}; after {} s: {lag_end} at a correlation of {likeness_end:.3}", run.got.len() / RATE);
    if lag_end != lag || likeness_end < 0.6 {
        return Err(format!("from {lag} to {lag_end} samples, a correlation of {likeness_end}"));
    }
    let gaps = run.got[2 * RATE..].chunks(RATE / 10).filter(|c| c.iter().all(|s| s.abs() < 1e-4)).count();
    if gaps > 0 { Err(format!("{gaps} tenths of a second are silent")) } else { Ok(()) }
}
