//! How a run that is followed looks: lines, and on a terminal a bar below them.

use std::{
    io::{self, IsTerminal as _, Write},
    time::Duration,
};

use copr_operator_api::v1alpha1::{CoprTestRunStatus, ImageStatus};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::TICK;
use crate::{clock, commands::say, error::Error, model::follow::Follow};

/// Without a terminal nothing is silent for longer than this.
const STILL: Duration = Duration::from_secs(60);

/// Where lines and the bar go.
pub struct Screen<'a> {
    out: &'a mut dyn Write,
    follow: Follow,
    bar: Option<ProgressBar>,
    quiet: Duration,
}

impl<'a> Screen<'a> {
    pub fn new(plain: bool, out: &'a mut dyn Write) -> Self {
        let terminals = io::stdout().is_terminal() && io::stderr().is_terminal();
        let live = !plain && terminals && std::env::var_os("CI").is_none();
        Self { out, follow: Follow::new(live), bar: live.then(bar), quiet: Duration::ZERO }
    }

    pub fn show_run(&mut self, status: &CoprTestRunStatus) -> Result<(), Error> {
        let lines = self.follow.run(status);
        self.draw(clock::now());
        self.lines(&lines)
    }

    pub fn show_images(&mut self, images: &[ImageStatus]) -> Result<(), Error> {
        let lines = self.follow.images(images);
        self.draw(clock::now());
        self.lines(&lines)
    }

    pub fn lines(&mut self, lines: &[String]) -> Result<(), Error> {
        if lines.is_empty() {
            return Ok(());
        }
        self.quiet = Duration::ZERO;
        let time = clock::time_of_day(clock::now());
        let text: String = lines.iter().map(|line| format!("{time}  {line}\n")).collect();
        match &self.bar {
            Some(bar) => bar.suspend(|| say(self.out, &text)),
            None => say(self.out, &text),
        }
    }

    fn draw(&self, now: Timestamp) {
        let Some(bar) = &self.bar else { return };
        let shown = self.follow.bar(now);
        // A bar of nothing would be full.
        bar.set_length(shown.of.max(1));
        bar.set_position(shown.done);
        bar.set_prefix(format!("{}/{}", shown.done, shown.of));
        bar.set_message(shown.text);
    }

    pub fn tick(&mut self) -> Result<(), Error> {
        let now = clock::now();
        if self.bar.is_some() {
            self.draw(now);
            return Ok(());
        }
        self.quiet += TICK;
        if self.quiet < STILL {
            return Ok(());
        }
        let line = self.follow.still(now);
        self.lines(&[line])
    }

    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    // The template is a constant, and right.
    if let Ok(style) = ProgressStyle::with_template("[{bar:20}] {prefix}  {elapsed}  {wide_msg}") {
        bar.set_style(style.progress_chars("#>."));
    }
    bar.enable_steady_tick(TICK);
    bar
}
