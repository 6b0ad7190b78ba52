//! Numbers as people write them: with as many digits as mean something, and never a row of zeros
//! that claims more than is known.
//!
//! Files for programs hold numbers whole; all that is printed for people goes through here.

use crate::time::Span;

/// What stands where nothing is known.
pub const UNKNOWN: &str = "–";

/// From such a share on a change is a factor: nobody sees ninety times as much in `+8800%`.
const MANIFOLD: f64 = 10.0;

/// Places after the point at most.
const PLACES: f64 = 9.0;

/// One number and its half-width, with as many digits as that leaves meaning in: `29.22 ±0.11`.
///
/// ```
/// use lbsim::figures::with_half_width;
/// assert_eq!(with_half_width(29.2174, Some(0.108)), "29.22 ±0.11");
/// assert_eq!(with_half_width(13_456.7, Some(210.0)), "13457 ±210");
/// assert_eq!(with_half_width(-0.2, Some(14.0)), "0 ±14");
/// assert_eq!(with_half_width(0.5, None), "0.500");
/// assert_eq!(with_half_width(100.0, Some(0.0)), "100 ±0");
/// assert_eq!(with_half_width(99.6, Some(0.0)), "99.6 ±0");
/// assert_eq!(with_half_width(99.996, None), "99.996");
/// ```
pub fn with_half_width(value: f64, half_width: Option<f64>) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    match half_width {
        Some(half) if half.is_finite() && half > 0.0 => {
            let places = places(half, 2);
            let half = match format!("{half:.places$}") {
                text if is_zero(&text) => format!("<{text}"),
                text => text,
            };
            format!("{} ±{half}", rounded(value, places))
        }
        Some(0.0) => format!("{} ±0", with_half_width(value, None)),
        _ if value == value.round() => format!("{}", value + 0.0),
        _ => {
            let digits = if value.abs() >= 10.0 { 2 } else { 3 };
            let places = places(value.abs(), digits);
            // Not all is said only where it is so: 99.6 is not 100.
            let nearly_all = (99.0..100.0).contains(&value);
            let told = |&places: &usize| !rounded(value, places).starts_with("100");
            let more = (places..=PLACES as usize).find(told).filter(|_| nearly_all);
            rounded(value, more.unwrap_or(places))
        }
    }
}

/// A number alone, with four digits and no zeros at its end; from a thousand on whole, with commas:
/// `0.02`, `98.91`, `8,816`.
///
/// ```
/// use lbsim::figures::number;
/// assert_eq!(number(800.0), "800");
/// assert_eq!(number(0.012345), "0.01235");
/// assert_eq!(number(1_234_567.8), "1,234,568");
/// ```
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    if value.abs() >= 999.95 {
        return grouped(&rounded(value, 0));
    }
    trimmed(rounded(value, places(value.abs(), 4)))
}

/// A share in percent: with a digit after the point, and with more where it would else be said to
/// be nothing or all.
///
/// ```
/// use lbsim::figures::percent;
/// assert_eq!(percent(0.5), "50%");
/// assert_eq!(percent(0.98909), "98.9%");
/// assert_eq!(percent(0.99996), "99.996%");
/// assert_eq!(percent(0.00004), "0.004%");
/// ```
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return UNKNOWN.to_owned();
    }
    let value = share * 100.0;
    let says_too_much = |text: &str| {
        let number: f64 = text.parse().unwrap_or(value);
        number != value && (number == 0.0 || number == 100.0)
    };
    let mut text = rounded(value, 1);
    for places in 2..=6 {
        if !says_too_much(&text) {
            break;
        }
        text = rounded(value, places);
    }
    if value.abs() >= 999.95 {
        text = grouped(&rounded(value, 0));
    }
    format!("{}%", trimmed(text))
}

/// How a figure changed, as a share of what it was: `+76%`, `-0.3%`, `<0.1%` for a change that is
/// not worth a digit, and from ten times as much again on a factor: `×8,816`.
///
/// ```
/// use lbsim::figures::change;
/// assert_eq!(change(0.76), "+76%");
/// assert_eq!(change(-0.0031), "-0.3%");
/// assert_eq!(change(-0.0004), "<0.1%");
/// assert_eq!(change(8815.0), "×8,816");
/// assert_eq!(change(-0.9996), "-99.96%");
/// assert_eq!(change(0.0), "0%");
/// ```
pub fn change(share: f64) -> String {
    let size = share.abs();
    if !share.is_finite() {
        return UNKNOWN.to_owned();
    }
    if share == 0.0 {
        return "0%".to_owned();
    }
    if size < 0.0005 {
        return "<0.1%".to_owned();
    }
    if share >= MANIFOLD {
        return format!("×{}", grouped(&rounded(1.0 + share, 0)));
    }
    let sign = if share > 0.0 { "+" } else { "-" };
    let mut text = rounded(size * 100.0, if size < 0.0995 { 1 } else { 0 });
    // What is left of nearly nothing is something.
    for places in 1..=4 {
        if share > -1.0 && text.parse() == Ok(100.0) && share < 0.0 {
            text = rounded(size * 100.0, places);
        }
    }
    format!("{sign}{}%", grouped(&text))
}

/// A change with its half-width, both as shares: `-12.3% ±1.2%`.
///
/// ```
/// use lbsim::figures::change_with;
/// assert_eq!(change_with(-0.1234, Some(0.0118)), "-12.3% ±1.2%");
/// assert_eq!(change_with(8815.0, Some(212.0)), "×8,816 ±212");
/// assert_eq!(change_with(0.5, None), "+50%");
/// ```
pub fn change_with(share: f64, half_width: Option<f64>) -> String {
    match half_width {
        Some(half) if share.is_finite() && half.is_finite() && half > 0.0 => {
            if share >= MANIFOLD {
                return format!("×{} ±{}", number(1.0 + share), number(half));
            }
            let text = with_half_width(share * 100.0, Some(half * 100.0));
            let sign = if share > 0.0 { "+" } else { "" };
            format!("{sign}{}%", text.replace(" ±", "% ±"))
        }
        _ => change(share),
    }
}

/// A length of time as people say it: in the unit that suits it, to five digits. Lengths that a
/// scenario gives are as it writes them.
///
/// ```
/// use lbsim::figures::span;
/// use lbsim::time::Span;
/// assert_eq!(span(Span::from_nanos(275_360_000_001)), "275.36s");
/// assert_eq!(span(Span::from_secs(300)), "5min");
/// assert_eq!(span(Span::from_nanos(12_345_678)), "12.346ms");
/// ```
pub fn span(span: Span) -> String {
    let whole = span.to_string();
    // What has few digits was meant so.
    if whole.chars().filter(char::is_ascii_digit).count() <= 5 {
        return whole;
    }
    let nanos = span.nanos() as f64;
    let (unit, name) = match nanos {
        ..1e3 => (1.0, "ns"),
        ..1e6 => (1e3, "us"),
        ..1e9 => (1e6, "ms"),
        ..36e11 => (1e9, "s"),
        _ => (36e11, "h"),
    };
    let value = nanos / unit;
    let places = places(value, 5);
    format!("{}{name}", trimmed(rounded(value, places)))
}

/// [`span`] of seconds that are not whole nanoseconds.
pub fn seconds(seconds: f64) -> String {
    span(Span::from_seconds(seconds))
}

/// Places after the point that leave so many digits of a number of this size.
fn places(scale: f64, digits: i32) -> usize {
    if scale > 0.0 && scale.is_finite() {
        (f64::from(digits - 1) - scale.log10().floor()).clamp(0.0, PLACES) as usize
    } else {
        0
    }
}

/// A number with so many places; zero has no sign.
fn rounded(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(rest) if is_zero(rest) => rest.to_owned(),
        _ => text,
    }
}

fn is_zero(text: &str) -> bool {
    text.chars().all(|digit| matches!(digit, '0' | '.'))
}

/// Without zeros at the end, behind the point.
fn trimmed(text: String) -> String {
    if text.contains('.') {
        let text = text.trim_end_matches('0').trim_end_matches('.');
        text.to_owned()
    } else {
        text
    }
}

/// Thousands apart by commas.
fn grouped(text: &str) -> String {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, behind) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut apart = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    format!("{sign}{apart}{behind}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A number as it is read back.
    fn read(text: &str) -> f64 {
        text.replace(',', "").parse().unwrap()
    }

    /// No zero has a sign, and no five digits stand together that commas could part.
    fn is_readable(text: &str) -> bool {
        !text.contains("-0%") && !text.contains("+0%") && text != "-0" && !text.contains("NaN")
    }

    /// Numbers of all sizes.
    fn any_size() -> impl Strategy<Value = f64> {
        (-1.0f64..1.0, -9i32..10).prop_map(|(value, size)| value * 10f64.powi(size))
    }

    proptest! {
        #[test]
        fn a_figure_is_known_to_a_tenth_of_its_half_width(value in any_size(), half in 1e-8f64..1e9) {
            let text = with_half_width(value, Some(half));
            let (shown, wide) = text.split_once(" ±").unwrap();
            prop_assert!(is_readable(shown), "{text}");
            prop_assert!((read(shown) - value).abs() <= 0.06 * half.max(1e-8) + 0.5, "{text}");
            prop_assert!(half >= 10.0 || (read(shown) - value).abs() <= 0.06 * half, "{text}");
            prop_assert!((read(wide) - half).abs() <= 0.06 * half + 0.5, "{text}");
        }

        #[test]
        fn a_number_is_right_to_four_digits(value in any_size()) {
            let text = number(value);
            prop_assert!(is_readable(&text) && text.len() <= 15, "{text}");
            prop_assert!((read(&text) - value).abs() <= 0.0006 * value.abs() + 1e-9, "{text}");
        }

        #[test]
        fn a_share_is_nothing_or_all_only_where_it_is(share in 0.0f64..1.2) {
            let text = percent(share);
            prop_assert!(text != "0%" || share < 1e-8, "{text}");
            prop_assert!(text != "100%" || (share - 1.0).abs() < 1e-8, "{text}");
            prop_assert!((read(text.trim_end_matches('%')) - share * 100.0).abs() <= 0.051, "{text}");
        }

        #[test]
        fn a_change_is_never_nothing_nor_a_row_of_digits(share in prop_oneof![-1.0f64..1.0, -1.0f64..20.0, 0.0f64..1e7]) {
            let text = change(share);
            prop_assert!(share == 0.0 || text != "0%", "{text}");
            prop_assert!(is_readable(&text), "{text}");
            let run = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            prop_assert!(run <= Some(4), "{text}");
            prop_assert!(share < 10.0 || text.starts_with('×'), "{text}");
            if let Some(number) = text.strip_suffix('%') && !number.starts_with('<') {
                prop_assert!((read(number) / 100.0 - share).abs() <= 0.0051, "{text}");
            }
        }

        #[test]
        fn a_span_has_five_digits_at_most(nanos in 0u64..10_u64.pow(17)) {
            let text = span(Span::from_nanos(nanos));
            let digits = text.chars().filter(char::is_ascii_digit).count();
            prop_assert!(digits <= 8 && text.len() <= 11, "{text}");
            let back: Span = text.parse().unwrap();
            let off = (back.nanos() as f64 - nanos as f64).abs();
            prop_assert!(off <= 1e-4 * nanos as f64, "{text}");
        }
    }
}
