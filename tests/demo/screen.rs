//! How the demo looks: plain text, colour only on a terminal.

use std::io::{self, IsTerminal, Stdout, Write};
use std::time::Duration;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// Standard output, with or without colour.
pub struct Screen {
    output: Stdout,
    colour: bool,
}

/// Prints a duration in milliseconds below ten seconds, else in seconds.
pub fn time(duration: Duration) -> String {
    if duration < Duration::from_secs(10) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

impl Screen {
    /// Looks whether standard output is a terminal.
    pub fn new() -> Self {
        let output = io::stdout();
        Self { colour: output.is_terminal() && std::env::var_os("NO_COLOR").is_none(), output }
    }

    /// The first line.
    pub fn title(&self, text: &str) {
        self.line(&self.paint(BOLD, text));
    }

    /// A paragraph.
    pub fn say(&self, text: &str) {
        for line in text.lines() {
            self.line(&format!("  {}", line.trim_start()));
        }
    }

    /// The head of a step.
    pub fn step(&self, number: usize, text: &str) {
        self.line("");
        self.line(&self.paint(BOLD, &format!("{number}. {text}")));
    }

    /// Something that was observed.
    pub fn done(&self, text: &str) {
        self.line(&format!("  {} {text}", self.paint(GREEN, "ok")));
    }

    /// Times since the beginning of the step.
    pub fn times(&self, times: &[(&str, Duration)]) {
        for (what, duration) in times {
            self.line(&format!("  {:>9}  {what}", time(*duration)));
        }
    }

    /// Output of something else, indented.
    pub fn quote(&self, title: &str, text: &str) {
        self.line(&format!("  {}", self.paint(CYAN, &format!("{title}:"))));
        for line in text.trim_end().lines() {
            self.line(&format!("    {line}"));
        }
    }

    /// A commit: its message and its diff.
    pub fn commit(&self, text: &str) {
        for line in text.trim_end().lines() {
            let colour = match line.as_bytes().first() {
                Some(b'+') => GREEN,
                Some(b'-') => RED,
                Some(b'@' | b'd' | b'i') => DIM,
                _ => "",
            };
            self.line(&format!("    {}", self.paint(colour, line)));
        }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour && !colour.is_empty() { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        // A reader that went away does not stop the demo from checking.
        writeln!(&self.output, "{text}").ok();
    }
}
