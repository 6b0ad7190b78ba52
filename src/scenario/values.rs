//! The rules for single values: their type, their bounds, and how a fault of theirs is put in
//! words.

use serde_json::Value as Json;

use super::conform::{Conforming, quoted, short, subject, takes};
use super::diagnostic::{Diagnostic, Place};
use super::shape;
use super::text::{Node, Path, Value};
use super::words;
use crate::time::Span;
use crate::units::{format_example, parse_format};

impl Conforming<'_> {
    pub(super) fn string(&mut self, text: &str, schema: &Json, path: &Path) {
        let length = text.chars().count() as u64;
        let limit = |keyword: &str| schema.get(keyword).and_then(Json::as_u64);
        let format = schema
            .get("format")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let subject = subject(path);
        let fault = |message: String| Diagnostic::error("out-of-range", path, message);
        if limit("minLength").is_some_and(|least| length < least) {
            let least = limit("minLength").unwrap_or(1);
            self.report(fault(match length {
                0 => format!("{subject} is empty; it must not be"),
                _ => format!("{subject} has {length} characters; it must have at least {least}"),
            }));
        }
        if let Some(most) = limit("maxLength").filter(|most| length > *most) {
            self.report(fault(format!(
                "{subject} has {length} characters; it must have at most {most}"
            )));
        }
        let lines = schema.get("x-lines") == Some(&Json::Bool(true));
        if let Some(c) = words::unprintable(text).filter(|c| !(lines && matches!(c, '\n' | '\t'))) {
            let message = format!(
                "{subject} has a character that cannot be printed, U+{:04X}",
                u32::from(c)
            );
            let fault = Diagnostic::error("unprintable", path, message);
            self.report(
                fault.help("leave it out; names and texts are single lines of printable text"),
            );
        } else if let Err((why, help)) = words::check(format, text) {
            let message = format!("{subject} is {}, which {why}", quoted(text));
            self.report(Diagnostic::error("bad-text", path, message).help(help));
        }
        if let Some(least) = schema.get("x-least").and_then(Json::as_str)
            && let (Ok(span), Ok(bound)) = (text.parse::<Span>(), least.parse::<Span>())
            && span < bound
        {
            self.report(Diagnostic::error(
                "out-of-range",
                path,
                format!("{subject} is {span}; it must be at least {bound}"),
            ));
        }
        if let Err(error) = parse_format(format, text) {
            let sentence = error.to_string();
            let (what, fix) = sentence.split_once("; ").unwrap_or((&sentence, ""));
            let label = format!("expected {}", shape::describe(self.root, schema));
            let fault =
                Diagnostic::error("bad-quantity", path, format!("{subject}: {what}")).label(label);
            self.report(if fix.is_empty() {
                fault
            } else {
                fault.help(fix)
            });
        }
    }

    pub(super) fn bounds(
        &mut self,
        node: &Node,
        number: f64,
        whole: Option<i128>,
        schema: &Json,
        path: &Path,
    ) {
        let limit = |keyword: &str| schema.get(keyword).filter(|limit| limit.is_number());
        let value = |limit: &Json| limit.as_f64().unwrap_or(f64::NAN);
        let shown = |keyword: &str| {
            limit(keyword).map(|limit| match limit.as_f64() {
                Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float}"),
                _ => limit.to_string(),
            })
        };
        let below = limit("minimum").is_some_and(|least| number < value(least));
        let above = limit("maximum").is_some_and(|most| number > value(most));
        let rule = if let (true, Some(least), Some(most)) =
            (below || above, shown("minimum"), shown("maximum"))
        {
            format!("from {least} to {most}")
        } else if let (true, Some(least)) = (below, shown("minimum")) {
            format!("at least {least}")
        } else if let (true, Some(most)) = (above, shown("maximum")) {
            format!("at most {most}")
        } else if limit("exclusiveMinimum").is_some_and(|least| number <= value(least)) {
            format!(
                "more than {}",
                shown("exclusiveMinimum").unwrap_or_default()
            )
        } else if limit("exclusiveMaximum").is_some_and(|most| number >= value(most)) {
            format!(
                "less than {}",
                shown("exclusiveMaximum").unwrap_or_default()
            )
        } else if let Some((least, most)) = whole.and_then(|n| out_of_format(n, schema)) {
            format!("from {least} to {most}")
        } else {
            return;
        };
        self.rule("out-of-range", node, &rule, path);
    }

    /// Reports a value of a type that the schema does not take.
    pub(super) fn mismatch(&mut self, node: &Node, schema: &Json, path: &Path) -> Json {
        let expected = shape::describe(self.root, schema);
        let message = format!(
            "{} is {}; it must be {expected}",
            subject(path),
            self.found(node)
        );
        let alternatives = shape::alternatives(self.root, schema);
        let format = alternatives
            .iter()
            .find_map(|s| s.get("format").and_then(Json::as_str));
        let quantity = format.filter(|format| format_example(format).is_some());
        let whole = alternatives
            .iter()
            .any(|s| shape::types(s).contains(&"integer"));
        let label = match &node.value {
            Value::Integer(_) | Value::Float(_) if quantity.is_some() => "a number without a unit",
            Value::Integer(_) | Value::Float(_) => "this is a number",
            Value::String(_) => "this is a string",
            Value::Date => "dates have no use here",
            _ => "",
        };
        let written = self.document.text(&node.at);
        let fix = match (&node.value, quantity) {
            (Value::Integer(_) | Value::Float(_), Some(format)) => {
                let error = parse_format(format, written).err();
                error.and_then(|error| Some(error.to_string().split_once("; ")?.1.to_owned()))
            }
            (Value::Float(float), _) if whole && float.fract() == 0.0 && float.abs() < 1e15 => {
                Some(format!("write {float}"))
            }
            (Value::String(text), _)
                if takes_number(&alternatives) && text.trim().parse::<f64>().is_ok() =>
            {
                Some(format!("write {} without quotes", text.trim()))
            }
            (Value::Table(_), _) if written.starts_with('[') && expected == "an array" => Some(
                format!("write [{written}], with doubled brackets, for each element"),
            ),
            _ => None,
        };
        let fault =
            Diagnostic::error("wrong-type", Place::Value(path.clone()), message).label(label);
        self.report(match fix {
            Some(fix) => fault.help(fix),
            None => fault,
        });
        Json::Null
    }

    pub(super) fn rule(&mut self, code: &'static str, node: &Node, rule: &str, path: &Path) {
        let message = format!(
            "{} is {}; it must be {rule}",
            subject(path),
            self.found(node)
        );
        self.report(Diagnostic::error(code, path, message));
    }

    /// What was found, in words.
    pub(super) fn found(&self, node: &Node) -> String {
        match &node.value {
            Value::String(text) => quoted(text),
            Value::Integer(_) | Value::Float(_) => short(self.document.text(&node.at)),
            Value::Boolean(value) => value.to_string(),
            Value::Date => "a date".to_owned(),
            Value::Array(_) => "an array".to_owned(),
            Value::Table(_) | Value::Broken => "a table".to_owned(),
        }
    }
}

fn takes_number(choices: &[&Json]) -> bool {
    choices
        .iter()
        .any(|choice| takes(choice, &Value::Integer(0)))
}

/// The range of the schema's integer format if `number` is outside it.
fn out_of_format(number: i128, schema: &Json) -> Option<(i128, i128)> {
    let (least, most) = match schema
        .get("format")
        .and_then(Json::as_str)
        .unwrap_or_default()
    {
        "int8" => (i128::from(i8::MIN), i128::from(i8::MAX)),
        "int16" => (i128::from(i16::MIN), i128::from(i16::MAX)),
        "int32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        "int64" => (i128::from(i64::MIN), i128::from(i64::MAX)),
        "uint8" => (0, i128::from(u8::MAX)),
        "uint16" => (0, i128::from(u16::MAX)),
        "uint32" => (0, i128::from(u32::MAX)),
        "uint64" => (0, i128::from(u64::MAX)),
        _ => (i128::from(i64::MIN), i128::from(u64::MAX)),
    };
    (number < least || number > most).then_some((least, most))
}
