//! Runs a graph for all its streams in this process: the weights are there once, whoever streams.
//!
//! A session has no state of its own, since a stream's state goes in and comes out with each run. So streams borrow a session
//! for one run: there are as many as can run at once ([`Device::runs_at_once`]), and never more than streams. On the processor
//! sessions share what they are made of as well ([`shared`]), and operators of the program's own read weights in half precision
//! ([`operators`]).
//!
//! Where all are busy, live streams queue, and the session that gets free takes what has queued as one batch: a hop of a small
//! model costs hardly more for eight channels than for one, since it is bound by reading the weights. A stream only ever
//! waits for a run that holds the device anyway, so that this adds no delay; and where batches turn out to be slower
//! ([`pace`]), there are none. A batch may round differently, so what has to repeat to the bit (files, offline rendering)
//! runs alone.

mod assignment;
mod batch;
mod desk;
mod device_state;
mod kept;
mod operators;
mod pace;
#[cfg(feature = "tract")]
mod plan;
mod seat;
mod shared;
mod weights;

pub(super) use batch::{Call, Input, Made};
pub(super) use desk::{Desk, Desks};
pub(super) use kept::Kept;
pub(super) use shared::Shared;

#[cfg(doc)]
use crate::model::Device;
