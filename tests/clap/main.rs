//! The CLAP plug-in in a host.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/clap.rs"]
mod host;

mod life;
mod sound;
