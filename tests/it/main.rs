//! Tests of the whole program against real parts; one binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like the tests themselves")]

mod analyze;
mod aom;
mod caller;
mod classes;
mod cli;
mod cloud_emulator;
mod cloud_screens;
mod config;
mod demo;
mod demo_databases;
mod demo_logs;
mod drill;
mod export;
mod frames;
mod house;
mod huawei_ces;
mod huawei_client;
mod huawei_marks;
mod huawei_program;
mod ledger_lost;
mod log_servers;
mod logs;
mod mcp;
mod note;
mod official_sdk;
mod orders;
mod orders_more;
mod path;
mod pg;
mod postgres;
mod prometheus;
mod pty;
mod readme;
mod reconcile;
mod record;
mod recording;
mod report;
mod scrape;
mod simulate_postgres;
mod terminal;
mod three_ways;
mod verdicts;
mod web;
