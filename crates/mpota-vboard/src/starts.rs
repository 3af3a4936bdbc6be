//! The life of a board as a script of starts: what each was started by, and what it had then.

use crate::{Board, End, Error, Run};
use serde_json::{Map, Value};

/// The port whose `machine` a board has; see `vboard/ports.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// What a board is where nothing is said.
    Esp32,
    /// Tells only the power and the watchdog.
    Rp2,
    /// Has a watchdog of its own time, whose reset has no name.
    Esp8266,
    /// Tells all.
    Stm32,
}

impl Port {
    /// All of them.
    pub const ALL: [Port; 4] = [Self::Esp32, Self::Rp2, Self::Esp8266, Self::Stm32];

    /// Its name in `vboard/ports.py`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Esp32 => "esp32",
            Self::Rp2 => "rp2",
            Self::Esp8266 => "esp8266",
            Self::Stm32 => "stm32",
        }
    }
}

/// What starts a board. What it tells its app of that is up to its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The power comes.
    PowerOn,
    /// `machine.reset()`.
    Reset,
    /// It wakes up from deep sleep; the start before must have ended in it.
    Wake,
    /// The watchdog bit.
    Watchdog,
    /// The power sank, and came back.
    BrownOut,
    /// Somebody pressed the reset button.
    Pin,
}

impl Start {
    /// All of them.
    pub const ALL: [Start; 6] =
        [Self::PowerOn, Self::Reset, Self::Wake, Self::Watchdog, Self::BrownOut, Self::Pin];

    /// Its name in `vboard/ports.py`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PowerOn => "power",
            Self::Reset => "reset",
            Self::Wake => "wake",
            Self::Watchdog => "watchdog",
            Self::BrownOut => "brownout",
            Self::Pin => "pin",
        }
    }

    /// So many of them, one after the other.
    #[must_use]
    pub fn times(self, times: u32) -> Step {
        Step::from(self).times(times)
    }

    /// With the Wi-Fi away.
    #[must_use]
    pub fn offline(self) -> Step {
        Step::from(self).offline()
    }

    /// With the power going away at this erase or program of the flash, counted from 1.
    #[must_use]
    pub fn cut_at_write(self, write: u32) -> Step {
        Step::from(self).with("cut", write.into())
    }

    /// With the power going away after so many milliseconds.
    #[must_use]
    pub fn unplugged_after(self, ms: u32) -> Step {
        Step::from(self).with("limit_ms", ms.into())
    }
}

/// One line of a script.
#[derive(Debug, Clone)]
pub struct Step {
    start: Start,
    times: u32,
    options: Map<String, Value>,
}

impl From<Start> for Step {
    fn from(start: Start) -> Self {
        Self { start, times: 1, options: Map::new() }
    }
}

impl Step {
    /// See [`Start::times`].
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// See [`Start::offline`].
    #[must_use]
    pub fn offline(self) -> Self {
        self.with("wifi", false.into())
    }

    /// With any other option of `vboard/vboard.py` for these starts.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.options.insert(key.into(), value);
        self
    }
}

impl Board {
    /// Which port's `machine` it has from now on.
    pub fn set_port(&mut self, port: Port) {
        self.set("port", port.name().into());
    }

    /// Live through a script of starts. After each start the board runs until it sleeps, sits at the
    /// REPL, or loses its power; where it resets itself before that, this is no start of the script.
    ///
    /// # Errors
    /// When the harness fails, or is to wake up a board that does not sleep.
    pub fn live(&self, script: &[Step]) -> Result<Vec<Run>, Error> {
        let mut runs: Vec<Run> = Vec::new();
        for step in script {
            for _ in 0..step.times {
                let asleep = runs.last().is_none_or(|run| run.end == End::Sleep);
                if step.start == Start::Wake && !asleep {
                    return Err(Error::Strange(format!("start {}: it does not sleep", runs.len() + 1)));
                }
                let mut options = step.options.clone();
                options.insert("start".into(), step.start.name().into());
                runs.push(self.run_with(&Value::Object(options))?);
            }
        }
        Ok(runs)
    }
}
