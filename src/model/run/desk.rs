//! Where streams wait for a session.

use super::batch::{Call, Made, NEXT_STATE, join, join_states, part};
use super::device_state::DeviceState;
use super::kept::Kept;
use super::pace::Pace;
use super::seat::Seat;
use super::shared::Shared;
use crate::model::device::{Turn, kept_on};
use crate::model::graph::MOST_PARTS;
use crate::model::{Device, Runtime};
use ort::value::DynValue;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Most channels of a batch: the first of them must not wait long for the last.
const MOST_CHANNELS: usize = 16;

/// One graph on one device, with its sessions and who waits for them.
pub struct Desk {
    pub graph: &'static str,
    pub device: Device,
    runtime: &'static Runtime,
    state: Mutex<State>,
    /// A session got free, or a call was answered.
    turn: Condvar,
    /// Used by whoever holds a session; there is one on such a device.
    on_device: Option<Mutex<DeviceState>>,
}

#[derive(Default)]
struct State {
    free: Vec<Seat>,
    /// Sessions that are loaded or being loaded.
    seats: usize,
    streams: usize,
    next_ticket: u64,
    queue: Vec<(u64, Call)>,
    answers: Vec<(u64, Answer)>,
    pace: Pace,
    /// Channels of batches that a GPU has run before; the first run of a size compiles, so no other sizes are run live.
    /// `None` on the processor, which takes any.
    known: Option<Vec<usize>>,
    /// Calls that ran with others.
    batched: u64,
    placed: Option<String>,
}

enum Answer {
    Made(Made),
    /// The batch failed or wasn't to be: on your own.
    Alone(Call),
}

impl Desk {
    pub fn new(graph: &'static str, device: Device, runtime: &'static Runtime) -> Self {
        let kept = !runtime.is_builtin() && kept_on(device).is_some();
        Self {
            graph,
            device,
            runtime,
            state: Mutex::new(State { known: (!device.is_cpu()).then(Vec::new), ..State::default() }),
            turn: Condvar::new(),
            on_device: kept.then(Mutex::default),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream comes. Loads a session where there are fewer than can run at once.
    ///
    /// # Errors
    /// What the runtime says of the graph; the stream isn't counted then.
    pub fn enter(&self, bytes: &[u8], shared: Option<&Shared>) -> ort::Result<()> {
        {
            let mut state = self.state();
            state.streams += 1;
            if state.seats >= state.streams.min(self.device.runs_at_once()) {
                return Ok(());
            }
            state.seats += 1;
        }
        let seat = Seat::load(bytes, shared, self.runtime, self.device);
        let mut state = self.state();
        match seat {
            Ok(seat) => {
                state.placed = seat.placed().map(str::to_owned);
                state.free.push(seat);
                self.turn.notify_all();
                Ok(())
            }
            Err(error) => {
                state.seats -= 1;
                state.streams -= 1;
                // Others may have counted on this one.
                self.turn.notify_all();
                Err(error)
            }
        }
    }

    /// A stream goes; its session waits for the next one.
    pub fn leave(&self) {
        self.state().streams -= 1;
    }

    /// The runtime and the device, and what of the graph runs there, for people.
    pub fn in_words(&self) -> String {
        match &self.state().placed {
            Some(placed) => format!("{} ({placed})", self.runtime.on(self.device)),
            None => self.runtime.on(self.device),
        }
    }

    /// Calls that ran in one batch with others so far.
    pub fn batched(&self) -> u64 {
        self.state().batched
    }

    /// Runs `call`: with others where it may be `shared`, and alone otherwise.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn run(&self, call: Call, shared: bool) -> ort::Result<Made> {
        let mut state = self.state();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        if shared {
            state.queue.push((ticket, call));
        } else {
            drop(state);
            let seat = self.seat()?;
            return Borrowed { desk: self, seat: Some(seat) }.alone(call);
        }
        loop {
            if let Some(index) = state.answers.iter().position(|(own, _)| *own == ticket) {
                match state.answers.swap_remove(index).1 {
                    Answer::Made(made) => return Ok(made),
                    Answer::Alone(call) => {
                        drop(state);
                        return self.run(call, false);
                    }
                }
            }
            if state.queue.iter().any(|(own, _)| *own == ticket)
                && let Some(seat) = state.free.pop()
            {
                let taken = state.take(ticket);
                drop(state);
                return Borrowed { desk: self, seat: Some(seat) }.together(ticket, taken);
            }
            state = self.wait(state)?;
        }
    }

    /// Until something changes; an error where there is no session left to wait for.
    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> ort::Result<MutexGuard<'a, State>> {
        if state.seats == 0 {
            return Err(ort::Error::new("another stream's session couldn't be loaded"));
        }
        Ok(self.turn.wait(state).unwrap_or_else(PoisonError::into_inner))
    }

    /// A session, as soon as one is free.
    fn seat(&self) -> ort::Result<Seat> {
        let mut state = self.state();
        loop {
            match state.free.pop() {
                Some(seat) => return Ok(seat),
                None => state = self.wait(state)?,
            }
        }
    }

    /// Before a stream goes live on a GPU: runs batches of calls like its own, as many as there are streams, so that no live
    /// hop waits for the GPU's compiler.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn warm_up(&self, call: impl Fn() -> ort::Result<Call>) -> ort::Result<()> {
        let channels = call()?.channels;
        for parts in 2..=MOST_PARTS.min(MOST_CHANNELS / channels.max(1)) {
            {
                let state = self.state();
                let Some(known) = &state.known else { return Ok(()) };
                if parts > state.streams {
                    return Ok(());
                }
                if known.contains(&(parts * channels)) {
                    continue;
                }
            }
            let calls = (0..parts).map(|_| call()).collect::<ort::Result<Vec<_>>>()?;
            Borrowed { desk: self, seat: Some(self.seat()?) }.run(&calls)?;
            if let Some(known) = &mut self.state().known {
                known.push(parts * channels);
            }
        }
        Ok(())
    }

    /// The channels `rows` of a state, one after the other; `None` where it lies in the program's memory.
    pub fn select(&self, state: &Kept, rows: &[usize]) -> Option<ort::Result<Kept>> {
        let helper = self.on_device.as_ref()?;
        let mut helper = helper.lock().unwrap_or_else(PoisonError::into_inner);
        Some(helper.rows(state, rows.iter().copied(), self.runtime, self.device))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _turn = Turn::on(self.device);
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).free.clear();
        self.on_device = None;
    }
}

impl State {
    /// The call of `ticket` first, and those that are run with it.
    fn take(&mut self, ticket: u64) -> Vec<(u64, Call)> {
        let Some(own) = self.queue.iter().position(|(queued, _)| *queued == ticket) else { return Vec::new() };
        let mut taken = vec![self.queue.remove(own)];
        let (hops, mut channels) = (taken[0].1.hops, taken[0].1.channels);
        if self.pace.shares() {
            let mut index = 0;
            while index < self.queue.len() && taken.len() < MOST_PARTS {
                let call = &self.queue[index].1;
                let sum = channels + call.channels;
                let known = self.known.as_ref().is_none_or(|known| known.contains(&sum));
                if call.hops == hops && sum <= MOST_CHANNELS && known {
                    channels += call.channels;
                    taken.push(self.queue.remove(index));
                } else {
                    index += 1;
                }
            }
        }
        taken
    }
}

/// A session in use; it goes back even where a run panics.
struct Borrowed<'a> {
    desk: &'a Desk,
    seat: Option<Seat>,
}

impl Borrowed<'_> {
    fn seat(&mut self) -> &mut Seat {
        self.seat.as_mut().expect("it is given back when this is dropped")
    }

    fn alone(mut self, call: Call) -> ort::Result<Made> {
        let started = Instant::now();
        let made = self.run(std::slice::from_ref(&call))?;
        self.desk.state().pace.took(1, started.elapsed());
        made.into_iter().next().ok_or_else(|| ort::Error::new("the runtime made nothing"))
    }

    /// Runs what was `taken`, that of `ticket` first, and answers the others.
    fn together(mut self, ticket: u64, taken: Vec<(u64, Call)>) -> ort::Result<Made> {
        let (tickets, mut calls): (Vec<u64>, Vec<Call>) = taken.into_iter().unzip();
        if calls.len() == 1 {
            return self.alone(calls.remove(0));
        }
        let started = Instant::now();
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.run(&calls)));
        let time = started.elapsed();
        let answers: Vec<Answer> = match run {
            Ok(Ok(made)) if made.len() == calls.len() => {
                let mut state = self.desk.state();
                state.pace.took(calls.len(), time);
                state.batched += calls.len() as u64;
                made.into_iter().map(Answer::Made).collect()
            }
            // Whose fault it is shows when each runs alone.
            _ => calls.into_iter().map(Answer::Alone).collect(),
        };
        let mut own = None;
        let mut state = self.desk.state();
        for (answered, answer) in tickets.into_iter().zip(answers) {
            if answered == ticket {
                own = Some(answer);
            } else {
                state.answers.push((answered, answer));
            }
        }
        drop(state);
        match own {
            Some(Answer::Made(made)) => Ok(made),
            Some(Answer::Alone(call)) => self.alone(call),
            None => Err(ort::Error::new("the runtime made nothing")),
        }
    }

    fn run(&mut self, calls: &[Call]) -> ort::Result<Vec<Made>> {
        let desk = self.desk;
        let seat = self.seat();
        let inputs = join(calls, |name| seat.takes_floats(name))?;
        let joined = match (calls, &desk.on_device) {
            ([_], _) => None,
            (_, Some(helper)) => {
                let mut helper = helper.lock().unwrap_or_else(PoisonError::into_inner);
                Some(helper.join(calls, desk.runtime, desk.device)?)
            }
            (_, None) => Some(join_states(calls)?),
        };
        let mut all: Vec<(&'static str, &DynValue)> = inputs.iter().map(|(name, value)| (*name, value)).collect();
        all.push(("state", &**joined.as_ref().unwrap_or(&calls[0].state)));
        let mut outputs = self.seat().run(&all)?;
        let next = outputs.iter().position(|(name, _)| name == NEXT_STATE);
        let state =
            next.map(|index| outputs.swap_remove(index).1).ok_or_else(|| ort::Error::new("it gave no next_state"))?;
        if let [_] = calls {
            return Ok(vec![Made { outputs, state }]);
        }
        let channels = calls.iter().map(|call| call.channels).sum();
        let mut first = 0;
        let mut made = Vec::with_capacity(calls.len());
        for call in calls {
            let own = |(name, value): &(String, Kept)| Ok((name.clone(), part(value, channels, first, call.channels)?));
            let outputs = outputs.iter().map(own).collect::<ort::Result<_>>()?;
            let state = match desk.select(&state, &(first..first + call.channels).collect::<Vec<_>>()) {
                Some(state) => state?,
                None => part(&state, channels, first, call.channels)?,
            };
            made.push(Made { outputs, state });
            first += call.channels;
        }
        Ok(made)
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.desk.state().free.extend(self.seat.take());
        self.desk.turn.notify_all();
    }
}

/// The desks of a model, one for each graph and device that were asked for.
#[derive(Default)]
pub struct Desks(Mutex<Vec<Arc<Desk>>>);

impl Desks {
    pub fn at(&self, graph: &'static str, device: Device, runtime: &'static Runtime) -> Arc<Desk> {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = desks.iter().find(|desk| desk.graph == graph && desk.device == device) {
            return desk.clone();
        }
        let desk = Arc::new(Desk::new(graph, device, runtime));
        desks.push(desk.clone());
        desk
    }
}
