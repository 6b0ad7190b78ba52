//! Times (section 2.5 of the configuration manual): a whole number and a unit, milliseconds where
//! none is written.

use super::Found;
use super::words::ConfigWord;
use crate::config::Fault;

/// The longest time that HAProxy takes: 2^31 - 1 ms.
const LONGEST: u64 = 2_147_483_647_000;
const SECOND: u64 = 1_000_000;

/// A time in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(u64);

impl Time {
    pub(super) const SECOND: Time = Time(SECOND);
    /// What `inter` is where it is not written (section 5.2, "inter").
    pub(super) const INTER: Time = Time(2 * SECOND);

    pub(super) fn is_zero(self) -> bool {
        self.0 == 0
    }

    fn parse(text: &str) -> Option<Time> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor = match unit {
            "us" => 1,
            "" | "ms" => 1000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3600 * SECOND,
            "d" => 86_400 * SECOND,
            _ => return None,
        };
        let time = number.parse::<u64>().ok()?.checked_mul(factor)?;
        (time <= LONGEST).then_some(Time(time))
    }

    /// Reads a word; `what` names the setting in messages.
    pub(super) fn read(word: &ConfigWord, what: &str, found: &mut Found) -> Option<Time> {
        if word.variable {
            found.note(
                &word.at,
                format!("`{what}` is given by an environment variable and not carried over."),
            );
            return None;
        }
        let time = Time::parse(&word.text);
        if time.is_none() {
            found.faults.push(
                Fault::new(
                    word.at.clone(),
                    format!("`{what}` is `{}`: expected a time of at most 24.8 days", word.text),
                )
                .help("write a whole number with us, ms, s, m, h or d after it, such as `10s`; without one it is milliseconds"),
            );
        }
        time
    }

    /// As a scenario writes it, in the largest unit that fits.
    pub(super) fn scenario(self) -> String {
        let units = [
            (3600 * SECOND, "h"),
            (60 * SECOND, "min"),
            (SECOND, "s"),
            (1000, "ms"),
        ];
        let unit = units.iter().find(|(size, _)| self.0.is_multiple_of(*size));
        match unit {
            Some((size, name)) if self.0 > 0 => format!("{}{name}", self.0 / size),
            _ if self.0 == 0 => "0s".to_owned(),
            _ => format!("{}us", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_haproxy_s() {
        for (text, scenario) in [
            ("5000", "5s"),
            ("1500", "1500ms"),
            ("10s", "10s"),
            ("5m", "5min"),
            ("120s", "2min"),
            ("1h", "1h"),
            ("2d", "48h"),
            ("250us", "250us"),
            ("0", "0s"),
        ] {
            assert_eq!(
                Time::parse(text).map(Time::scenario).as_deref(),
                Some(scenario),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "1.5s",
            "-1",
            "30d",
            "10min",
            "99999999999999999999",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}
