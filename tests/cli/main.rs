//! The program as its users call it.

#[path = "../common/program.rs"]
mod user;

mod commands;
mod end;
mod files;
