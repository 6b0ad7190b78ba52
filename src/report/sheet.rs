//! A table that fits where it is shown. What says nothing is left out and named below it, then what
//! says least, until the rest has room; long names are cut in the middle, and told whole below.
//! A page of Markdown has all of it.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::prose::folded;

/// How a table is dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a terminal.
    Terminal {
        /// Whether verdicts have colours.
        coloured: bool,
        /// The columns of characters that there are; `None` where all is to be shown, however wide.
        width: Option<usize>,
    },
    /// As Markdown.
    Markdown,
}

impl Style {
    /// Columns of characters where nobody says how many there are.
    pub const WIDTH: usize = 120;

    /// For a file or a pipe that is read by people.
    pub const PLAIN: Style = Style::Terminal {
        coloured: false,
        width: Some(Style::WIDTH),
    };
}

/// How much a column says: of two that do not both fit, the lesser goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Goes before all that are more, from 0 on.
    Goes(u8),
    /// Stays, and is a figure.
    Stays,
    /// Stays, and is a name, which can be cut.
    Names,
    /// Stays, and is a sentence, which can go on on further lines.
    Sentences,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    text: String,
    is_number: bool,
    /// Whether it says something good, or something bad.
    is_good: Option<bool>,
}

impl Field {
    pub(super) fn text(text: impl Into<String>) -> Field {
        Field {
            text: text.into(),
            is_number: false,
            is_good: None,
        }
    }

    pub(super) fn number(text: impl Into<String>) -> Field {
        Field {
            is_number: true,
            ..Field::text(text)
        }
    }

    /// In the colour of what is good or bad.
    pub(super) fn judged(self, is_good: Option<bool>) -> Field {
        Field { is_good, ..self }
    }

    /// A verdict as the rows have it; `better` and `worse` in colour.
    pub(super) fn verdict(said: &str) -> Field {
        let text = Field::text(if said.is_empty() { "–" } else { said });
        text.judged(match said {
            "better" => Some(true),
            "worse" => Some(false),
            _ => None,
        })
    }
}

#[derive(Clone, Debug)]
struct Heading {
    /// In one line or in two.
    title: String,
    rank: Rank,
}

/// Columns with their headings, and rows of cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    headings: Vec<Heading>,
    rows: Vec<Vec<Field>>,
    /// Columns that go over into a table of their own where they do not fit, in place of being left
    /// out: from this one on.
    goes_on: Option<usize>,
    /// Names that are cut, with what they were.
    cut: Vec<(String, String)>,
}

/// Names are cut to so many characters at least.
const SHORTEST: usize = 14;

/// Sentences are folded to lines of so many characters at least.
const NARROWEST: usize = 26;

/// What stands for a figure that is not known.
const UNKNOWN: &str = "–";

impl Sheet {
    pub(super) fn column(&mut self, title: impl Into<String>, rank: Rank) -> &mut Sheet {
        let title = title.into();
        self.headings.push(Heading { title, rank });
        self
    }

    /// Adds columns of equal standing that are split over several tables, one below the other,
    /// where they do not fit.
    pub(super) fn goes_on(&mut self) -> &mut Sheet {
        self.goes_on = Some(self.headings.len());
        self
    }

    pub(super) fn row(&mut self, fields: impl IntoIterator<Item = Field>) {
        let fields: Vec<Field> = fields.into_iter().collect();
        debug_assert_eq!(fields.len(), self.headings.len());
        self.rows.push(fields);
    }

    /// The table, and below it what is not in it.
    pub(super) fn draw(mut self, style: Style) -> String {
        match style {
            Style::Markdown => self.markdown(),
            Style::Terminal { coloured, width } => {
                let Some(width) = width else {
                    return self.terminal(coloured);
                };
                let mut notes = self.without_the_same();
                self.cut_names(width / 3);
                if let Some(from) = self.goes_on.filter(|_| self.width() > width) {
                    let parts = self.split(from, width);
                    let parts = parts.iter().map(|part| part.terminal(coloured));
                    return [parts.collect::<Vec<_>>().join("\n"), self.legend()].concat();
                }
                let mut gone = self.without_repeats(width);
                notes.append(&mut gone);
                let left_out = self.without_the_least(width);
                self.fold_sentences(width);
                // Names lose no more than they must.
                let mut most = width / 3;
                while self.width() > width && most > SHORTEST {
                    most -= 1;
                    self.cut_names(most);
                }
                if !left_out.is_empty() {
                    let names = left_out.join(", ");
                    notes.push(format!("for want of room {names} (`--wide` shows all)"));
                }
                let below = match notes.is_empty() {
                    true => String::new(),
                    false => format!(
                        "\n{}",
                        folded(&format!("Not in the table: {}.", notes.join("; ")), width)
                    ),
                };
                [self.terminal(coloured), below, self.legend()].concat()
            }
        }
    }

    /// Takes out columns that say the same in all rows, and nothing else: what each of them says.
    fn without_the_same(&mut self) -> Vec<String> {
        self.without(|fields| {
            let exact = !fields.contains(" ±") || fields.ends_with(" ±0");
            exact.then(|| fields.trim_end_matches(" ±0").to_owned())
        })
    }

    /// Takes out columns that say the same in all rows, in as far as that is known, if there is no
    /// room.
    fn without_repeats(&mut self, width: usize) -> Vec<String> {
        if self.width() <= width {
            return Vec::new();
        }
        self.without(|fields| Some(fields.to_owned()))
    }

    /// Takes out columns of figures whose rows are all alike, where `says` knows what they say.
    fn without(&mut self, says: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let mut notes = Vec::new();
        if self.rows.len() < 2 {
            return notes;
        }
        for at in (0..self.headings.len()).rev() {
            let first = &self.rows[0][at];
            let alike = self.rows.iter().all(|row| row[at] == *first);
            if !alike || !matches!(self.headings[at].rank, Rank::Goes(_)) {
                continue;
            }
            let title = plain(&self.headings[at].title);
            let note = match first.text.as_str() {
                UNKNOWN => Some(format!("{} not known in any", without_unit(&title).0)),
                text => says(text).map(|text| {
                    let (name, unit) = without_unit(&title);
                    format!("{name} {text}{unit} in all")
                }),
            };
            if let Some(note) = note {
                notes.push(note);
                self.remove(at);
            }
        }
        notes.reverse();
        notes
    }

    /// Takes out what says least until the rest has room: the headings of what went.
    fn without_the_least(&mut self, width: usize) -> Vec<String> {
        let mut names = Vec::new();
        while self.width() > width {
            let ranks = self.headings.iter().map(|own| own.rank).enumerate();
            let goes = ranks.filter(|(_, rank)| matches!(rank, Rank::Goes(_)));
            let Some((at, _)) = goes.min_by_key(|(_, rank)| *rank) else {
                break;
            };
            names.push(without_unit(&plain(&self.headings[at].title)).0.to_owned());
            self.remove(at);
        }
        names
    }

    fn remove(&mut self, at: usize) {
        self.headings.remove(at);
        for row in &mut self.rows {
            row.remove(at);
        }
    }

    /// Cuts names that are longer than `most`, in the middle.
    fn cut_names(&mut self, most: usize) {
        let most = most.max(SHORTEST);
        let before = std::mem::take(&mut self.cut);
        for at in 0..self.headings.len() {
            if self.headings[at].rank != Rank::Names {
                continue;
            }
            for row in &mut self.rows {
                let text = &mut row[at].text;
                if let Some((_, whole)) = before.iter().find(|(short, _)| short == text) {
                    text.clone_from(whole);
                }
                if length(text) <= most {
                    continue;
                }
                let known = self.cut.iter().find(|(_, whole)| whole == text);
                let short = known.map(|(short, _)| short.clone()).unwrap_or_else(|| {
                    let taken = |short: &String| self.cut.iter().any(|(other, _)| other == short);
                    let mut ways = (0..).map(|number| cut(text, most, number));
                    let short = ways
                        .find(|short| !taken(short))
                        .expect("numbers do not end");
                    self.cut.push((short.clone(), text.clone()));
                    short
                });
                *text = short;
            }
        }
    }

    /// Folds sentences until the table has room, no more than it must.
    fn fold_sentences(&mut self, width: usize) {
        let mut most = width / 2;
        while self.width() > width && most > NARROWEST {
            most = most.saturating_sub(2).max(NARROWEST);
            for at in 0..self.headings.len() {
                if self.headings[at].rank == Rank::Sentences {
                    for row in &mut self.rows {
                        row[at].text = folded(&row[at].text.replace('\n', " "), most);
                    }
                }
            }
        }
    }

    /// What names were that are cut, a line each.
    fn legend(&self) -> String {
        let lines = self.cut.iter();
        let lines = lines.map(|(short, whole)| format!("\n{short}: {whole}"));
        lines.collect()
    }

    /// Several tables with the first columns each, and as many of the others as fit.
    fn split(&self, from: usize, width: usize) -> Vec<Sheet> {
        let mut parts = Vec::new();
        let mut at = from;
        while at < self.headings.len() {
            let part = |to: usize| -> Sheet {
                let of = |index: &usize| *index < from || (at..to).contains(index);
                let taken: Vec<usize> = (0..self.headings.len()).filter(of).collect();
                Sheet {
                    headings: taken
                        .iter()
                        .map(|&own| self.headings[own].clone())
                        .collect(),
                    rows: (self.rows.iter())
                        .map(|row| taken.iter().map(|&own| row[own].clone()).collect())
                        .collect(),
                    goes_on: None,
                    cut: Vec::new(),
                }
            };
            let mut to = at + 1;
            while to < self.headings.len() && part(to + 1).width() <= width {
                to += 1;
            }
            parts.push(part(to));
            at = to;
        }
        parts
    }

    /// How wide it is, with its frame.
    fn width(&self) -> usize {
        let columns = self.headings.iter().enumerate().map(|(at, heading)| {
            let title = heading.title.lines().map(length).max().unwrap_or(0);
            let lines = self.rows.iter().flat_map(|row| row[at].text.lines());
            let fields = lines.map(length).max();
            title.max(fields.unwrap_or(0)) + 2
        });
        columns.sum::<usize>() + self.headings.len() + 1
    }

    fn terminal(&self, coloured: bool) -> String {
        let mut table = Table::new();
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_header(self.headings.iter().map(|own| own.title.clone()));
        for row in &self.rows {
            table.add_row(row.iter().map(|field| dressed(field, coloured)));
        }
        #[cfg(feature = "cli")]
        if coloured {
            table.enforce_styling();
        }
        table.to_string()
    }

    fn markdown(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(self.headings.iter().map(|own| plain(&own.title)));
        for row in &self.rows {
            table.add_row(row.iter().map(|field| dressed(field, false)));
        }
        table.to_string()
    }
}

/// A heading on one line.
fn plain(title: &str) -> String {
    // A name that was wrapped at a hyphen has no space there.
    title.replace("-\n", "-").replace('\n', " ")
}

/// The name and the unit of a heading: `success` and `%`.
fn without_unit(title: &str) -> (&str, &'static str) {
    for (ending, unit) in [(" %", "%"), (" ms", " ms"), (" /s", "/s"), (", s", " s")] {
        if let Some(name) = title.strip_suffix(ending) {
            return (name, unit);
        }
    }
    (title, "")
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// A name in a heading: at most as long as most are.
pub(super) fn shortened(name: &str) -> String {
    const LONGEST: usize = 24;
    match length(name) {
        ..=LONGEST => name.to_owned(),
        _ => cut(name, LONGEST, 0),
    }
}

/// A name of `most` characters, without its middle; `number` tells it from others that look alike.
fn cut(name: &str, most: usize, number: usize) -> String {
    let middle = match number {
        0 => "…".to_owned(),
        other => format!("…{}…", other + 1),
    };
    let room = most.saturating_sub(length(&middle));
    let (head, tail) = (room.div_ceil(2), room / 2);
    let behind = length(name) - tail;
    let head: String = name.chars().take(head).collect();
    let tail: String = name.chars().skip(behind).collect();
    format!("{head}{middle}{tail}")
}

/// A heading on lines of some fifteen characters, broken at hyphens and spaces alone.
pub(super) fn wrapped(name: &str) -> String {
    const LINE: usize = 15;
    let mut lines = vec![String::new()];
    for part in name.split_inclusive(['-', ' ']) {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && length(line) + length(part.trim_end()) > LINE {
            lines.push(part.to_owned());
        } else {
            line.push_str(part);
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

/// A cell of the table, in the colour of what is good or bad where the table has colours.
fn dressed(field: &Field, coloured: bool) -> Cell {
    let cell = Cell::new(&field.text);
    let cell = match field.is_number {
        true => cell.set_alignment(CellAlignment::Right),
        false => cell,
    };
    #[cfg(feature = "cli")]
    if let (true, Some(is_good)) = (coloured, field.is_good) {
        use comfy_table::{Attribute, Color};
        let colour = if is_good { Color::Green } else { Color::Red };
        return cell.fg(colour).add_attribute(Attribute::Bold);
    }
    let _ = coloured;
    cell
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terminal(width: usize) -> Style {
        Style::Terminal {
            coloured: false,
            width: Some(width),
        }
    }

    /// A sheet of strategies with these figures, and a verdict.
    fn sheet(names: &[String], columns: &[(&str, u8, Vec<&str>)]) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.column("strategy", Rank::Names);
        for (title, rank, _) in columns {
            sheet.column(*title, Rank::Goes(*rank));
        }
        sheet.column("verdict", Rank::Stays);
        for (at, name) in names.iter().enumerate() {
            let figures = columns.iter().map(|(.., own)| Field::number(own[at]));
            let row = [Field::text(name.as_str())].into_iter().chain(figures);
            sheet.row(row.chain([Field::verdict("better")]));
        }
        sheet
    }

    fn two() -> Vec<String> {
        vec!["random".to_owned(), "round-robin".to_owned()]
    }

    #[test]
    fn what_is_the_same_in_all_is_said_once() {
        let columns = [
            ("success\n%", 9, vec!["100 ±0", "100 ±0"]),
            ("p99.9\nms", 3, vec!["–", "–"]),
            ("mean\nms", 8, vec!["5.0 ±1.0", "5.0 ±1.0"]),
        ];
        let text = sheet(&two(), &columns).draw(terminal(120));
        assert!(
            text.ends_with("\nNot in the table: success 100% in all; p99.9 not known in any."),
            "{text}"
        );
        assert!(
            text.contains("5.0 ±1.0"),
            "an interval is no exact figure: {text}"
        );
        let all = sheet(&two(), &columns).draw(Style::Terminal {
            coloured: false,
            width: None,
        });
        assert!(all.contains("100 ±0"), "{all}");
        let one = sheet(&two()[..1], &[("success\n%", 9, vec!["100 ±0"])]).draw(terminal(120));
        assert!(
            one.contains("100 ±0"),
            "a single row says what it says: {one}"
        );
    }

    #[test]
    fn the_least_goes_first_and_is_named() {
        let columns = [
            ("mean\nms", 8, vec!["28.24 ±0.92", "12.945 ±0.022"]),
            ("p50\nms", 2, vec!["28.24 ±0.92", "12.945 ±0.022"]),
            ("p99\nms", 9, vec!["28.24 ±0.92", "12.945 ±0.022"]),
        ];
        let text = sheet(&two(), &columns).draw(terminal(60));
        assert!(
            text.ends_with("Not in the table: for want of room p50 (`--wide` shows all)."),
            "{text}"
        );
        assert!(text.lines().all(|line| length(line) <= 60), "{text}");
    }

    #[test]
    fn long_names_are_cut_and_told_whole() {
        let names = [
            "a-very-long-name".repeat(4) + "1",
            "a-very-long-name".repeat(5) + "1",
        ];
        let text = sheet(&names, &[]).draw(terminal(60));
        for name in &names {
            assert!(text.contains(&format!(": {name}")), "{text}");
        }
        let table: Vec<&str> = text.lines().filter(|line| line.starts_with('│')).collect();
        assert_ne!(table[1], table[2]);
        assert!(table.iter().all(|line| length(line) <= 60));
    }

    #[test]
    fn columns_of_equal_standing_go_on_below() {
        let mut sheet = Sheet::default();
        sheet.column("load", Rank::Stays).goes_on();
        for name in ["least-connections", "least-response-time", "random"] {
            sheet.column(wrapped(name), Rank::Stays);
        }
        sheet.row(["50%", "12.945 ±0.022", "12.945 ±0.022", "12.945 ±0.022"].map(Field::number));
        let text = sheet.draw(terminal(44));
        assert_eq!(text.matches("load").count(), 2, "{text}");
        assert!(text.lines().all(|line| length(line) <= 44), "{text}");
        assert!(
            text.contains("connections") && text.contains("response-"),
            "{text}"
        );
    }

    proptest! {
        /// Whatever is in it, a table has the room that it has, no word is broken, and what is not
        /// in it is named.
        #[test]
        fn tables_fit(
            names in prop::collection::vec("[a-z]{3,9}(-[a-z]{3,9}){0,9}", 2..6),
            figures in prop::collection::vec("[0-9]{1,5}\\.[0-9]{1,3} ±[0-9]{1,4}", 9),
            columns in 0usize..9,
            width in 64usize..160,
        ) {
            let titles = ["one\nms", "two\n%", "three\nms", "four", "five\n/s", "six", "seven\nms", "eight", "nine"];
            let rows: Vec<(&str, u8, Vec<&str>)> = (0..columns)
                .map(|at| (titles[at], at as u8, (0..names.len()).map(|row| figures[(at + row) % 9].as_str()).collect()))
                .collect();
            let text = sheet(&names, &rows).draw(terminal(width));
            let table: Vec<&str> = text.lines().filter(|line| line.starts_with(['│', '┌'])).collect();
            prop_assert!(table.iter().all(|line| length(line) <= width), "{text}");
            for (title, ..) in &rows {
                prop_assert!(text.to_lowercase().contains(title.lines().next().unwrap()), "{title}: {text}");
            }
            for name in &names {
                prop_assert!(text.contains(name.as_str()), "{name}: {text}");
            }
        }
    }
}
