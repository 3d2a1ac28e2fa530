//! warroom: a terminal war room for a payment platform in an incident.
//!
//! # The map
//!
//! Everything that enters the program is a [`model::Batch`] of timestamped facts. Batches and keys are the
//! inputs of one function, [`app::update()`]; the screen is a function of the state. A recording is the
//! batches in order of arrival, so live, paused, replay, demo and tests are one program with different
//! sources.
//!
//! ```text
//! source ──Batch──> recording (disk) ──> store ──> analysis ──> app ──> view ──> terminal
//!    ^                                                           │ Effect
//!    └──────────── refresh, load, ticks, exports ────────────────┘
//! ```
//!
//! | room | owns | may import |
//! | --- | --- | --- |
//! | [`model`] | the vocabulary: time, facts, database, order, log, note, health | nothing |
//! | [`store`] | what is remembered, bounded, asked as of an instant | model |
//! | [`analysis`] | pure functions: lanes, spike, episodes, onsets, suspects, cohorts, blocking, patterns, classes, trail, checks, report | model, store |
//! | [`note`] | the Markdown note: parse, edit, save | model |
//! | [`app`] | state, commands, `update` | model, store, analysis, note |
//! | [`view`] | cells | all of the above |
//! | [`export`] | the report as Markdown and as one HTML file, the runbook | model, analysis, view |
//! | [`terminal`] | the tty | view, app |
//! | [`config`] | `config.toml` | model |
//! | [`source`] | sockets, pools, files, child processes of the systems watched, dumps of logs | model, config, recording, simulator, note |
//! | [`recording`] | segments on disk | model, store |
//! | [`spill`] | more rows than memory holds, brought together by key | model |
//! | [`simulator`] | the demo's world, and the far side of its wires: a cloud, a real database | model |
//! | [`runtime`] | the loop, effects | everything |
//!
//! Laws: only raw facts are stored; nothing below `runtime` and `source` reads a clock or a socket, nor a
//! file, but `recording` and `spill` their own; health, gaps and losses are facts; no draw and no key waits on I/O; text from outside is
//! [`model::Untrusted`]; no key changes anything out there; one table for each truth.

pub mod analysis;
pub mod app;
pub mod cli;
pub mod config;
pub mod export;
pub mod model;
pub mod note;
pub mod recording;
pub mod runtime;
pub mod simulator;
pub mod source;
pub mod spill;
pub mod store;
pub mod terminal;
pub mod view;
