//! Colours that colour-blind readers can tell apart, and dashes where colours come round again.
//!
//! Okabe and Ito, "Color Universal Design" (2008), and four more of other lightness.

use super::canvas::Colour;

/// Lines and bars of one strategy. Two that are beside each other are of different hues,
/// and the first ten have one blue and one grey.
const PALETTE: [Colour; 12] = [
    Colour(0x00, 0x72, 0xb2), // blue
    Colour(0xd5, 0x5e, 0x00), // vermilion
    Colour(0x00, 0x9e, 0x73), // green
    Colour(0xe6, 0x9f, 0x00), // orange
    Colour(0xcc, 0x79, 0xa7), // pink
    Colour(0x5b, 0x2a, 0x86), // purple
    Colour(0x7a, 0x3e, 0x12), // brown
    Colour(0xa8, 0x9c, 0x1d), // olive
    Colour(0x6b, 0x72, 0x80), // grey
    Colour(0x11, 0x18, 0x27), // black
    Colour(0x56, 0xb4, 0xe9), // sky
    Colour(0xb0, 0x5a, 0x5a), // rose
];

/// The colour that is as good as that of what was measured.
const BLACK: usize = 9;

/// How many looks can be told apart.
pub(super) const COLOURS: usize = 24;

/// The look of a strategy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Its colour.
    pub(super) colour: Colour,
    /// Its colour where it is text: as dark as reading needs.
    pub(super) ink: Colour,
    /// Dash and gap of its lines; `None` for solid ones.
    pub(super) dash: Option<(f64, f64)>,
}

/// The colour number of what was measured and not simulated.
pub(super) const MEASURED: usize = usize::MAX;

/// The look of colour number `index`: the second half of the palette is dashed, and so is every
/// further round, more finely.
pub(super) fn look(index: usize) -> Look {
    if index == MEASURED {
        return Look {
            colour: INK,
            ink: INK,
            dash: Some((2.0, 3.0)),
        };
    }
    let colour = PALETTE[index % PALETTE.len()];
    let dash = match index / 6 {
        0 => None,
        1 => Some((9.0, 4.0)),
        round => Some((9.0 / (round as f64), 4.0)),
    };
    Look {
        colour,
        ink: darkened(colour),
        dash,
    }
}

/// Whether two looks differ by their dashes only.
pub(super) fn are_alike(one: usize, other: usize) -> bool {
    let hue = |index: usize| match index {
        MEASURED => BLACK,
        index => index % PALETTE.len(),
    };
    hue(one) == hue(other)
}

/// A colour dark enough to be read on white: contrast 4.5 to 1 (WCAG 2.1, 1.4.3).
fn darkened(colour: Colour) -> Colour {
    let mut ink = colour;
    while 1.05 / (luminance(ink) + 0.05) < 4.5 {
        let darker = |c: u8| (f64::from(c) * 0.94) as u8;
        ink = Colour(darker(ink.0), darker(ink.1), darker(ink.2));
    }
    ink
}

fn luminance(Colour(r, g, b): Colour) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// From nothing to all: dark blue over green to yellow, even in lightness (viridis; Smith and van
/// der Walt, 2015).
pub(super) fn heat(share: f64) -> Colour {
    const STOPS: [(u8, u8, u8); 9] = [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ];
    let at = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let (low, part) = (at as usize, at.fract());
    let (a, b) = (STOPS[low], STOPS[(low + 1).min(STOPS.len() - 1)]);
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    Colour(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// What is drawn on.
pub(super) const PAPER: Colour = Colour(0xff, 0xff, 0xff);
/// Titles.
pub(super) const INK: Colour = Colour(0x1f, 0x29, 0x37);
/// Axes and captions.
pub(super) const MUTED: Colour = Colour(0x5b, 0x64, 0x72);
/// Grid lines.
pub(super) const GRID: Colour = Colour(0xe5, 0xe7, 0xeb);
/// Faults.
pub(super) const FAULT: Colour = Colour(0xb9, 0x1c, 0x4a);
/// What comes after a fault: servers that are back, and cold.
pub(super) const COLD: Colour = Colour(0x1d, 0x63, 0xa8);
/// Another rate of arrivals.
pub(super) const LOAD: Colour = Colour(0x8a, 0x5a, 0x00);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_can_be_read_and_looks_differ() {
        for index in 0..24 {
            assert!(1.05 / (luminance(look(index).ink) + 0.05) >= 4.5);
        }
        let looks: Vec<String> = (0..24)
            .map(|i| format!("{:?}{:?}", look(i).colour, look(i).dash))
            .collect();
        assert!((0..24).all(|i| !looks[..i].contains(&looks[i])));
    }
}
